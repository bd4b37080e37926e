import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SpoolService } from '../../src/platform/spool/spool.service.js';
import { startApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import { readOrder } from '../support/payments.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { openidOf, WechatpayBackend } from '../support/wechatpay-backend.js';
import type { Callback, CallbackTricks } from '../support/wechatpay-simulator/callback-tricks.ts';
import { MODES } from '../support/wechatpay-simulator/keys.ts';
import { eventually } from '../support/until.ts';

const MINUTE_MS = 60_000;

const read = (backend: WechatpayBackend, outTradeNo: string) => readOrder(backend.database, outTradeNo);

async function countMessages(backend: WechatpayBackend): Promise<number> {
  const [row] = await backend.database.query<{ n: string }>('SELECT COUNT(*) AS n FROM inbox_messages');
  return Number(row?.n);
}

function postPayment(backend: WechatpayBackend, callback: Callback) {
  return backend.simulator.postCallback(backend.simulator.settings.notifyUrl, callback);
}

describe.each(MODES)('callbacks of a merchant in the mode %s', (mode) => {
  let backend: WechatpayBackend;
  beforeAll(async () => {
    backend = await WechatpayBackend.start({ mode });
  });
  afterAll(() => backend.stop());

  // With one key only, the deliveries WeChat Pay signs with the other one during a switch would all be lost.
  it('are taken in with every key the merchant has, and grant once', async () => {
    for (const { kind } of backend.simulator.keys.platform) {
      const outTradeNo = await backend.order();
      backend.pay(outTradeNo);
      const callback = backend.simulator.composePaymentCallback(outTradeNo, { signedBy: kind });
      expect(await postPayment(backend, callback)).toMatchObject({
        status: 200,
        body: '{"code":"SUCCESS","message":"成功"}',
      });
      await backend.drain();
      const { order, grants } = await read(backend, outTradeNo);
      const { payment } = backend.simulator.ledger.getOrder(outTradeNo);
      expect(order).toMatchObject({ status: 'paid', transaction_id: payment?.transactionId });
      expect(grants).toMatchObject([{ package_type: 'premium', granted_by: 'system:wechat-callback' }]);
    }
  });

  // WeChat Pay sends wrong signatures on purpose; a merchant who takes them in is reported, one who breaks loses payments.
  it('that are probes fail, and the genuine delivery after one is taken in', async () => {
    const outTradeNo = await backend.order();
    backend.simulator.customerPays(outTradeNo, { notice: { probeFirst: true } });
    await backend.simulator.advance(MINUTE_MS);
    const deliveries = backend.simulator.notifier.deliveries.filter(({ subject }) => subject === outTradeNo);
    expect(deliveries).toMatchObject([
      { isProbe: true, status: 401 },
      { isProbe: false, status: 200 },
    ]);
    await backend.drain();
    expect((await read(backend, outTradeNo)).grants).toHaveLength(1);
  });
});

describe('a callback', () => {
  let backend: WechatpayBackend;
  beforeAll(async () => {
    backend = await WechatpayBackend.start();
  });
  afterAll(() => backend.stop());
  beforeEach(() => backend.heal());

  async function payWithoutNotice(): Promise<string> {
    const outTradeNo = await backend.order();
    backend.pay(outTradeNo);
    return outTradeNo;
  }

  const refused: [string, CallbackTricks, number][] = [
    ['signed by a stranger', { signature: 'stranger' }, 401],
    ['without a signature', { signature: 'missing' }, 401],
    ['that is a probe', { signature: 'probe' }, 401],
    ['with a serial nobody knows', { serial: 'PUB_KEY_ID_0000000000000000000000000000000001' }, 401],
    ['replayed after five minutes', { ageMs: 5 * MINUTE_MS + 10_000 }, 401],
    ['from the future', { ageMs: -5 * MINUTE_MS - 10_000 }, 401],
    ['cut short by a byte', { bytesCut: 1 }, 400],
    ['cut to half', { bytesCut: 400 }, 400],
    ['encrypted with another key', { apiv3Key: 'x'.repeat(32) }, 400],
    ['for another merchant', { resource: { mchid: '1900000109' } }, 401],
    ['for another app', { resource: { appid: 'wx0000000000000000' } }, 401],
    ['of a payment that is none', { resource: { trade_state: 'NOTPAY' } }, 400],
    [
      'in another currency',
      { resource: { amount: { total: 2990, payer_total: 2990, currency: 'USD', payer_currency: 'USD' } } },
      400,
    ],
  ];
  // Whoever finds this address could otherwise hand out packages.
  it.each(refused)(
    '%s is refused as WeChat Pay expects it, and leaves nothing',
    async (_name, tricks, status) => {
      const outTradeNo = await payWithoutNotice();
      const before = await countMessages(backend);
      const answer = await postPayment(backend, backend.simulator.composePaymentCallback(outTradeNo, tricks));
      expect(answer.status).toBe(status);
      expect(JSON.parse(answer.body)).toEqual({ code: 'FAIL', message: expect.any(String) as string });
      expect(await countMessages(backend)).toBe(before);
      await backend.drain();
      expect(await read(backend, outTradeNo)).toMatchObject({
        order: { status: 'pending', transaction_id: null },
        grants: [],
        exceptions: [],
      });
    },
  );

  // The signature covers the bytes: a change of any of them must be seen, also where JSON stays the same.
  it('whose bytes were changed after it was signed is refused', async () => {
    const outTradeNo = await payWithoutNotice();
    const { headers, body } = backend.simulator.composePaymentCallback(outTradeNo);
    const changed = { headers, body: Buffer.from(` ${body.toString('utf8')}`) };
    expect((await postPayment(backend, changed)).status).toBe(401);
    expect((await postPayment(backend, { headers, body })).status).toBe(200);
  });

  // A refund told at the payments' address must not count as a payment, nor the other way round.
  it('at the other address is refused', async () => {
    const outTradeNo = await payWithoutNotice();
    const { refundNotifyUrl } = backend.simulator.settings;
    const callback = backend.simulator.composePaymentCallback(outTradeNo);
    const answer = await backend.simulator.postCallback(refundNotifyUrl ?? '', callback);
    expect(answer).toMatchObject({ status: 401 });
    expect(JSON.parse(answer.body)).toMatchObject({ code: 'FAIL' });
  });

  // The framework's own refusals speak the envelope of the other routes; here only `code` and `message` are understood.
  it.each([
    ['is no JSON', { 'Content-Type': 'application/json' }, 'not json', 400],
    ['is no object, and unsigned', { 'Content-Type': 'application/json' }, '[]', 401],
    ['is of another type', { 'Content-Type': 'text/xml' }, '<xml/>', 415],
    ['is too large', { 'Content-Type': 'application/json' }, `{"a":"${'x'.repeat(70_000)}"}`, 413],
  ])('that %s is refused in WeChat Pay’s words', async (_name, headers, body, status) => {
    const answer = await postPayment(backend, { headers, body: Buffer.from(body) });
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ code: 'FAIL', message: expect.any(String) as string });
  });

  // The money is there and the answer must be 200, but a wrong amount buys nothing by itself.
  it('with another amount than the order’s is kept, and its payment held', async () => {
    const outTradeNo = await payWithoutNotice();
    const amount = { total: 1, payer_total: 1, currency: 'CNY', payer_currency: 'CNY' };
    const callback = backend.simulator.composePaymentCallback(outTradeNo, { resource: { amount } });
    expect((await postPayment(backend, callback)).status).toBe(200);
    await backend.drain();
    const { order, grants, exceptions } = await read(backend, outTradeNo);
    expect(order).toMatchObject({ status: 'paid', amount: '29.90' });
    expect(grants).toEqual([]);
    expect(exceptions).toMatchObject([{ kind: 'payment_held', status: 'open' }]);
  });

  // A coupon lowers what the payer paid, not what the order is worth.
  it('of a payment with a coupon grants by the total', async () => {
    const outTradeNo = await backend.order();
    backend.simulator.customerPays(outTradeNo, { couponFen: 500 });
    await backend.simulator.settle();
    await backend.drain();
    expect((await read(backend, outTradeNo)).grants).toMatchObject([{ package_type: 'premium' }]);
  });

  // WeChat Pay delivers at least once; duplicates with ids of their own, redeliveries and notices must not add up.
  it('delivered several times, beside a notice and a query, has one effect and one line in payment_logs', async () => {
    const outTradeNo = await backend.order();
    backend.simulator.customerPays(outTradeNo, { notice: { copies: 3, hasOwnIds: true } });
    await backend.simulator.settle();
    backend.simulator.notifier.redeliver(outTradeNo);
    await backend.simulator.settle();
    await backend.application.post('notify', notifyBody({ outTradeNo })).expect(200);
    await backend.drain();
    await backend.ask();
    const { grants, user } = await read(backend, outTradeNo);
    expect(grants).toHaveLength(1);
    expect(user).toMatchObject({ regenerate_count: 23 });
    const logs = await backend.database.query<Record<string, unknown>>(
      'SELECT * FROM payment_logs WHERE out_trade_no = ?',
      [outTradeNo],
    );
    expect(logs).toMatchObject([
      {
        type: 'payment_callback',
        event_type: 'TRANSACTION.SUCCESS',
        amount_total: 2990,
        out_refund_no: null,
      },
    ]);
    expect(JSON.stringify(logs)).not.toContain(openidOf(outTradeNo));
    expect(JSON.stringify(logs)).toContain(
      backend.simulator.ledger.getOrder(outTradeNo).payment?.transactionId,
    );
  });

  // The row and the backup may both be lost; the backup may also come late and must find its order, not make a second.
  it('about an order nobody knows builds it, and the backup that comes late agrees', async () => {
    const outTradeNo = newOutTradeNo();
    backend.placeOrder(outTradeNo);
    backend.simulator.customerPays(outTradeNo);
    await backend.simulator.settle();
    await backend.drain();
    const backup = orderCreatedBody({ outTradeNo, openid: openidOf(outTradeNo), userId: undefined });
    await backend.application.post('order-created', backup).expect(200);
    await backend.drain();
    const { order, grants, exceptions } = await read(backend, outTradeNo);
    expect(order).toMatchObject({ status: 'paid', package_type: 'premium', amount: '29.90' });
    expect(grants).toHaveLength(1);
    expect(exceptions.filter(({ status }) => status === 'open')).toEqual([]);
  });

  // Forgetting one would leave the goods with somebody who has the money back.
  it('about a refund made elsewhere becomes one refund and one line, however often it comes', async () => {
    const outTradeNo = await payWithoutNotice();
    const outRefundNo = `R${outTradeNo}`;
    backend.simulator.merchantRefunds({ outTradeNo, outRefundNo, refundFen: 100 });
    backend.simulator.endRefund(outRefundNo, 'SUCCESS');
    await backend.simulator.settle();
    await backend.drain();
    backend.simulator.notifier.redeliver(outRefundNo);
    await backend.simulator.settle();
    await backend.drain();
    const refunds = await backend.database.query('SELECT * FROM refunds WHERE out_trade_no = ?', [
      outTradeNo,
    ]);
    expect(refunds).toMatchObject([
      { out_refund_no: outRefundNo, status: 'success', refund_amount: '1.00', total_amount: '29.90' },
    ]);
    const logs = await backend.database.query('SELECT * FROM payment_logs WHERE out_refund_no = ?', [
      outRefundNo,
    ]);
    expect(logs).toMatchObject([
      { type: 'refund_callback', event_type: 'REFUND.SUCCESS', amount_total: 100, out_trade_no: outTradeNo },
    ]);
  });
});

describe('where a callback goes', () => {
  // 200 ends WeChat Pay's retries: said before the message is on a disk, it would lose the payment with the process.
  it('is the spool while MySQL is away, and the order’s row once it is back', async () => {
    const direct = await WechatpayBackend.start();
    const proxy = await TcpProxy.start({
      host: direct.database.env.DB_HOST,
      port: Number(direct.database.env.DB_PORT),
    });
    const cut = await direct.startReplica(proxy.env);
    try {
      await cut.whenAvailable();
      const outTradeNo = await direct.order();
      direct.pay(outTradeNo);
      const url = `${await cut.app.getUrl()}/api/payment/callback`;
      await proxy.refuse();
      const answer = await direct.simulator.postCallback(
        url,
        direct.simulator.composePaymentCallback(outTradeNo),
      );
      expect(answer.status).toBe(200);
      expect(await countMessages(direct)).toBe(0);
      expect(await cut.app.get(SpoolService).read(0, 10)).toHaveLength(1);
      await proxy.pass();
      await eventually(async () => expect(await countMessages(direct)).toBe(1));
      await direct.drain();
      expect((await read(direct, outTradeNo)).grants).toHaveLength(1);
    } finally {
      await cut.stop();
      await proxy.close();
      await direct.stop();
    }
  });

  // A refusal makes WeChat Pay try again for a day: time to set the variables. A success would lose the payment.
  it('is nowhere without credentials: 503, so that it is sent again', async () => {
    const backend = await WechatpayBackend.start();
    const bare = await startApplication(backend.database, { ROLE: 'api' });
    try {
      await bare.whenAvailable();
      const { out_trade_no: outTradeNo } = await insertOrderRow(backend.database);
      backend.placeOrder(outTradeNo);
      backend.pay(outTradeNo);
      const callback = backend.simulator.composePaymentCallback(outTradeNo);
      const answer = await backend.simulator.postCallback(
        `${await bare.app.getUrl()}/api/payment/callback`,
        callback,
      );
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body)).toMatchObject({ code: 'FAIL' });
      expect(await countMessages(backend)).toBe(0);
    } finally {
      await bare.stop();
      await backend.stop();
    }
  });
});
