import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { captureLog } from '../support/log-capture.js';
import { insertOrderRow, newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import { INTERNAL_SECRET } from '../support/secrets.ts';
import { openidOf, WechatpayBackend } from '../support/wechatpay-backend.js';
import type { Fault } from '../support/wechatpay-simulator/faults.ts';

let backend: WechatpayBackend;
let log: ReturnType<typeof captureLog>;

beforeAll(async () => {
  log = captureLog();
  backend = await WechatpayBackend.start({ mode: 'switching', env: { LOG_LEVEL: 'debug' } });
});
afterAll(async () => {
  await backend.stop();
  vi.restoreAllMocks();
});

const askStatus = (outTradeNo: string) =>
  backend.application
    .http()
    .get(`/api/payment/orders/${outTradeNo}/status`)
    .set('X-Internal-Secret', INTERNAL_SECRET);

/** Everything that a payment may meet, with all the errors that may quote what was sent. */
async function playAll(): Promise<{ openids: string[]; signatures: string[] }> {
  const orders = await Promise.all(Array.from({ length: 8 }, () => backend.order()));
  const openids = orders.map(openidOf);
  const signatures: string[] = [];
  const [told, forged, mismatched, refunded, unknown] = orders as [string, string, string, string, string];
  orders.forEach((outTradeNo) => backend.pay(outTradeNo));
  for (const [outTradeNo, tricks] of [
    [told, {}],
    [forged, { signature: 'stranger' }],
    [forged, { resource: { mchid: '1900000109' } }],
    [forged, { bytesCut: 40 }],
    [
      mismatched,
      { resource: { amount: { total: 7, payer_total: 7, currency: 'CNY', payer_currency: 'CNY' } } },
    ],
  ] as const) {
    const callback = backend.simulator.composePaymentCallback(outTradeNo, tricks);
    signatures.push(callback.headers['Wechatpay-Signature'] ?? '');
    await backend.simulator.postCallback(backend.simulator.settings.notifyUrl, callback);
  }
  backend.simulator.merchantRefunds({ outTradeNo: refunded, outRefundNo: `R${refunded}`, refundFen: 1 });
  backend.simulator.endRefund(`R${refunded}`, 'SUCCESS');
  await backend.simulator.settle();
  const lost = newOutTradeNo();
  openids.push(openidOf(lost));
  backend.placeOrder(lost, 1);
  backend.pay(lost);
  await backend.application.post('notify', notifyBody({ outTradeNo: lost }, { openid: openidOf(lost) }));
  const created = orderCreatedBody();
  openids.push(created.openid as string);
  await backend.application.post('order-created', created);
  await insertOrderRow(backend.database, { _openid: openidOf(unknown) });
  await backend.drain();
  await backend.discover();
  const faults: Fault[] = [
    { status: 400, code: 'PARAM_ERROR', message: `openid=${openidOf(unknown)} 无效` },
    { status: 403, code: 'NO_AUTH', message: `payer ${openidOf(unknown)} 无权限` },
    { status: 401, code: 'SIGN_ERROR' },
    'bad-signature',
    'html-502-before',
  ];
  for (const fault of faults) {
    await backend.heal();
    backend.simulator.faults.next(fault);
    await askStatus(unknown);
    backend.simulator.faults.clear();
  }
  for (const fault of faults) {
    await backend.heal();
    backend.simulator.faults.next(fault);
    await backend.ask(...orders, lost);
    backend.simulator.faults.clear();
  }
  await backend.drain();
  await backend.sweep();
  return { openids, signatures };
}

describe('keys, signatures and openids', () => {
  // Logs are read by more people than keys are, and copied to places where nobody expects personal data.
  it('are in no log line and in no table for operators, whatever a payment meets', async () => {
    const { openids, signatures } = await playAll();
    // Without these the search below would prove nothing.
    for (const event of ['order.asked', 'inbox.accepted', 'wechatpay.misconfigured', 'http.answered']) {
      expect(log.text()).toContain(`"event":"${event}"`);
    }
    const tables = [
      'payment_logs',
      'error_logs',
      'exceptions',
      'audit_logs',
      'outbox_messages',
      'order_queries',
    ];
    let rows = '';
    for (const table of tables)
      rows += JSON.stringify(await backend.database.query(`SELECT * FROM ${table}`));
    expect(rows).toContain('payment_callback');
    const { merchant } = backend.simulator.keys;
    const privateKey = merchant.privateKeyPem.split('\n')[1] ?? '';
    expect(privateKey.length).toBeGreaterThan(40);
    const secrets = [merchant.apiv3Key, privateKey, INTERNAL_SECRET, ...signatures, ...openids];
    const signs = ['WECHATPAY2-SHA256', 'PRIVATE KEY', 'nonce_str', 'Authorization'];
    const found = [...secrets, ...signs].filter(
      (canary) => canary !== '' && (log.text().includes(canary) || rows.includes(canary)),
    );
    expect(found).toEqual([]);
  });
});
