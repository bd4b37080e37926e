import { createServer } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.js';
import { findKey, makeKeys } from '../../support/wechatpay-simulator/keys.js';
import type { SimulatorKeys } from '../../support/wechatpay-simulator/keys.js';
import { RETRY_GAPS_MS } from '../../support/wechatpay-simulator/notifier.js';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import type { Json } from './plugin-client.js';

const NOW_MS = Date.parse('2026-01-27T10:00:00+08:00');
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const NO = '202601270000000001';

type Received = {
  headers: IncomingHttpHeaders;
  text: string;
  isVerified: boolean;
  notice: Json;
  resource: Json;
};

let keys: SimulatorKeys;
let simulator: WechatPaySimulator;
let merchant: Server;
let received: Received[];
/** What the merchant answers, the last one for all that follow. */
let answers: { status: number; body?: string }[];

beforeAll(async () => {
  keys = await makeKeys('switching', NOW_MS);
});

beforeEach(async () => {
  received = [];
  answers = [{ status: 204 }];
  merchant = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      received.push(read(request.headers, text));
      const { status, body } = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 500 };
      response.writeHead(status, status === 302 ? { Location: `${merchantUrl()}/other` } : {}).end(body);
    });
  });
  await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve));
  simulator = await startWechatPaySimulator({
    mode: 'switching',
    keys,
    clock: SimulatorClock.heldAt(NOW_MS),
    settings: { notifyUrl: `${merchantUrl()}/paid`, refundNotifyUrl: `${merchantUrl()}/refunded` },
  });
  simulator.placeOrder({ outTradeNo: NO, totalFen: 2990, openid: 'oPayer' });
});

afterEach(async () => {
  await simulator.close();
  await new Promise((resolve) => merchant.close(resolve));
});

function merchantUrl(): string {
  return `http://127.0.0.1:${(merchant.address() as AddressInfo).port}`;
}

/** As a merchant should: the key by its serial, the signature over the raw body, then the resource. */
function read(headers: IncomingHttpHeaders, text: string): Received {
  const header = (name: string) => String(headers[`wechatpay-${name}`]);
  const key = keys.platform.find(({ serial }) => serial === header('serial'));
  const message = Formatter.response(header('timestamp'), header('nonce'), text);
  const isVerified = key !== undefined && Rsa.verify(message, header('signature'), key.pem);
  if (!isVerified) return { headers, text, isVerified, notice: null, resource: null };
  const notice = JSON.parse(text);
  const { ciphertext, nonce, associated_data } = notice.resource;
  const plain = Aes.AesGcm.decrypt(ciphertext, keys.merchant.apiv3Key, nonce, associated_data);
  return { headers, text, isVerified, notice, resource: JSON.parse(plain) };
}

const secondsBetween = (times: readonly number[]) =>
  times.slice(1).map((atMs, index) => (atMs - (times[index] ?? 0)) / 1000);

describe('a notice', () => {
  it('of a payment says what the query says', async () => {
    const { payment } = simulator.customerPays(NO);
    expect(received).toEqual([]);
    await simulator.settle();
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({
      isVerified: true,
      notice: {
        event_type: 'TRANSACTION.SUCCESS',
        resource_type: 'encrypt-resource',
        create_time: '2026-01-27T10:00:00+08:00',
        resource: { original_type: 'transaction', algorithm: 'AEAD_AES_256_GCM' },
      },
      resource: {
        mchid: keys.merchant.mchid,
        appid: keys.merchant.appid,
        out_trade_no: NO,
        transaction_id: payment?.transactionId,
        trade_state: 'SUCCESS',
        success_time: '2026-01-27T10:00:00+08:00',
        amount: { total: 2990, payer_total: 2990, currency: 'CNY' },
        payer: { openid: 'oPayer' },
      },
    });
    expect(received[0]?.notice.resource.nonce).not.toBe(received[0]?.headers['wechatpay-nonce']);
    expect(simulator.notifier.deliveries).toMatchObject([{ status: 204, isDelivered: true, attempt: 1 }]);
  });

  it.each(['SUCCESS', 'CLOSED', 'ABNORMAL'] as const)('of a refund that is %s says so', async (end) => {
    simulator.customerPays(NO, { notice: { copies: 0 } });
    simulator.merchantRefunds({ outTradeNo: NO, outRefundNo: 'R1', refundFen: 1000 });
    await simulator.settle();
    expect(received).toEqual([]);
    simulator.endRefund('R1', end);
    await simulator.settle();
    expect(received).toMatchObject([
      {
        notice: { event_type: `REFUND.${end}`, resource: { original_type: 'refund' } },
        resource: { out_refund_no: 'R1', refund_status: end, amount: { total: 2990, refund: 1000 } },
      },
    ]);
    expect(Object.keys(received[0]?.resource ?? {}).includes('success_time')).toBe(end === 'SUCCESS');
    expect(received[0]?.resource).not.toHaveProperty('status');
  });

  it('is repeated on the published schedule, signed anew each time, and then never again', async () => {
    answers = [{ status: 500 }];
    simulator.customerPays(NO);
    await simulator.advance(3 * DAY_MS);
    const { deliveries } = simulator.notifier;
    expect(secondsBetween(deliveries.map(({ atMs }) => atMs))).toEqual([
      15, 15, 30, 180, 600, 1200, 1800, 1800, 1800, 3600, 10_800, 10_800, 10_800, 21_600, 21_600,
    ]);
    expect(RETRY_GAPS_MS.reduce((sum, gapMs) => sum + gapMs, 0)).toBe(DAY_MS + 4 * MINUTE_MS);
    expect(received).toHaveLength(16);
    expect(received.every(({ isVerified }) => isVerified)).toBe(true);
    expect(new Set(received.map(({ notice }) => notice.id)).size).toBe(1);
    const signedAtS = received.map(({ headers }) => Number(headers['wechatpay-timestamp']));
    expect(signedAtS).toEqual(deliveries.map(({ atMs }) => Math.floor(atMs / 1000)));
    expect(simulator.notifier.waitingCount).toBe(0);
  });

  it('is delivered when the status says so, whatever the body says', async () => {
    answers = [{ status: 400 }, { status: 302 }, { status: 201 }, { status: 200, body: '{"code":"FAIL"}' }];
    simulator.customerPays(NO);
    await simulator.advance(DAY_MS);
    expect(simulator.notifier.deliveries.map(({ status, isDelivered }) => [status, isDelivered])).toEqual([
      [400, false],
      [302, false],
      [201, false],
      [200, true],
    ]);
    expect(simulator.notifier.deliveries.at(-1)?.body).toBe('{"code":"FAIL"}');
  });

  it('is signed with either key in turn while the merchant is moved from one to the other', async () => {
    answers = [{ status: 500 }, { status: 500 }, { status: 204 }];
    simulator.customerPays(NO);
    await simulator.advance(MINUTE_MS);
    const kinds = received.map(({ headers }) =>
      String(headers['wechatpay-serial']).startsWith('PUB_KEY_ID_') ? 'public-key' : 'certificate',
    );
    expect(kinds).toEqual(['certificate', 'public-key', 'certificate']);
    expect(received.every(({ isVerified }) => isVerified)).toBe(true);
    simulator.settings.noticesSignedBy = 'public-key';
    simulator.notifier.redeliver(NO);
    await simulator.settle();
    expect(received.at(-1)?.headers['wechatpay-serial']).toBe(findKey(keys, 'public-key')?.serial);
  });

  it('may begin with a probe, which a good one follows even when the probe was believed', async () => {
    simulator.customerPays(NO, { notice: { probeFirst: true } });
    await simulator.advance(MINUTE_MS);
    expect(String(received[0]?.headers['wechatpay-signature'])).toMatch(/^WECHATPAY\/SIGNTEST\//);
    expect(received.map(({ isVerified }) => isVerified)).toEqual([false, true]);
    expect(received[1]?.text).toBe(received[0]?.text);
    expect(simulator.notifier.deliveries.map(({ isProbe, isDelivered }) => [isProbe, isDelivered])).toEqual([
      [true, false],
      [false, true],
    ]);
  });

  it('may be lost, come twice, or come with another id', async () => {
    simulator.customerPays(NO, { notice: { copies: 0 } });
    await simulator.advance(DAY_MS);
    expect(received).toEqual([]);
    simulator.placeOrder({ outTradeNo: `${NO}2`, totalFen: 1 });
    simulator.customerPays(`${NO}2`, { notice: { copies: 2 } });
    simulator.placeOrder({ outTradeNo: `${NO}3`, totalFen: 1 });
    simulator.customerPays(`${NO}3`, { notice: { copies: 2, hasOwnIds: true } });
    await simulator.settle();
    const ids = received.map(({ notice }) => notice.id);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(3);
  });

  it('of a refund can come before that of its payment: by delay, or held back and turned round', async () => {
    const events = () => received.map(({ notice }) => notice.event_type);
    simulator.customerPays(NO, { notice: { delayMs: 10 * MINUTE_MS } });
    simulator.merchantRefunds({ outTradeNo: NO, outRefundNo: 'R1', refundFen: 1000 });
    await simulator.advance(10 * MINUTE_MS);
    expect(events()).toEqual(['REFUND.SUCCESS', 'TRANSACTION.SUCCESS']);
    expect(received[1]?.resource.trade_state).toBe('SUCCESS');

    received = [];
    simulator.notifier.hold();
    simulator.placeOrder({ outTradeNo: `${NO}2`, totalFen: 1 });
    simulator.customerPays(`${NO}2`);
    simulator.merchantRefunds({ outTradeNo: `${NO}2`, outRefundNo: 'R2', refundFen: 1 });
    await simulator.advance(10 * MINUTE_MS);
    expect(events()).toEqual([]);
    simulator.notifier.release('reversed');
    await simulator.settle();
    expect(events()).toEqual(['REFUND.SUCCESS', 'TRANSACTION.SUCCESS']);
  });

  it('of nobody who listens is tried again', async () => {
    simulator.placeOrder({ outTradeNo: `${NO}2`, totalFen: 1, notifyUrl: 'http://127.0.0.1:1/nobody' });
    simulator.customerPays(`${NO}2`);
    await simulator.settle();
    expect(simulator.notifier.deliveries).toMatchObject([{ status: null, isDelivered: false }]);
    expect(simulator.notifier.deliveries[0]?.error).toContain('127.0.0.1:1');
    expect(simulator.notifier.nextDueMs()).toBe(NOW_MS + 15_000);
  });
});

describe('a callback that a test composes', () => {
  beforeEach(() => void simulator.customerPays(NO, { notice: { copies: 0 } }));

  const send = async (tricks: Parameters<WechatPaySimulator['composePaymentCallback']>[1]) => {
    await simulator.postCallback(`${merchantUrl()}/paid`, simulator.composePaymentCallback(NO, tricks));
    return received.at(-1);
  };

  it('is good without tricks, by either key', async () => {
    expect(await send({})).toMatchObject({ isVerified: true, resource: { out_trade_no: NO } });
    expect(await send({ signedBy: 'public-key' })).toMatchObject({ isVerified: true });
    expect(await send({ resource: { mchid: '1900000000' } })).toMatchObject({
      isVerified: true,
      resource: { mchid: '1900000000', out_trade_no: NO },
    });
  });

  it.each<[string, Parameters<WechatPaySimulator['composePaymentCallback']>[1]]>([
    ['a stranger signed', { signature: 'stranger' }],
    ['a probe', { signature: 'probe' }],
    ['nobody signed', { signature: 'missing' }],
    ['of an unknown serial', { serial: 'F'.repeat(40) }],
    ['cut short', { bytesCut: 1 }],
  ])('does not verify when it is %s', async (_name, tricks) => {
    expect(await send(tricks)).toMatchObject({ isVerified: false });
  });

  it('carries the time it was signed at', async () => {
    const old = await send({ ageMs: 5 * MINUTE_MS });
    expect(Number(old?.headers['wechatpay-timestamp'])).toBe(NOW_MS / 1000 - 300);
    expect(old).toMatchObject({ isVerified: true });
  });
});
