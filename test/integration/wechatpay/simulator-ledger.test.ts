import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Rsa } from 'wechatpay-axios-plugin';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.js';
import { makeKeys } from '../../support/wechatpay-simulator/keys.js';
import type { SimulatorKeys } from '../../support/wechatpay-simulator/keys.js';
import { statusOf } from '../../support/wechatpay-simulator/ledger.js';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import { PluginClient } from './plugin-client.js';

const NOW_MS = Date.parse('2026-01-27T10:00:00+08:00');
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const NO = '202601270000000001';

let keys: SimulatorKeys;
let simulator: WechatPaySimulator;
let client: PluginClient;

beforeAll(async () => {
  keys = await makeKeys('public-key', NOW_MS);
});

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW_MS });
  simulator = await startWechatPaySimulator({
    mode: 'public-key',
    keys,
    clock: SimulatorClock.heldAt(NOW_MS),
    settings: {
      refundNotifyUrl: null,
      notice: { copies: 0, delayMs: 0, probeFirst: false, hasOwnIds: false },
    },
  });
  client = new PluginClient(simulator);
});

afterEach(async () => {
  vi.useRealTimers();
  await simulator.close();
});

describe('an order', () => {
  it('is prepaid for JSAPI and NATIVE, again with the same parameters, never with others', async () => {
    expect((await client.prepay('jsapi', { out_trade_no: NO })).data.prepay_id).toMatch(/^wx\w{34}$/);
    expect((await client.prepay('jsapi', { out_trade_no: NO })).status).toBe(200);
    const other = { total: 1, currency: 'CNY' };
    expect(await client.prepay('jsapi', { out_trade_no: NO, amount: other })).toMatchObject({
      status: 403,
      code: 'OUT_TRADE_NO_USED',
    });
    expect((await client.prepay('native', { out_trade_no: NO })).code).toBe('OUT_TRADE_NO_USED');
    expect((await client.prepay('native', { out_trade_no: `${NO}N` })).data.code_url).toMatch(/^weixin:/);
    expect(simulator.ledger.getOrder(NO)).toMatchObject({ totalFen: 2990, openid: 'oPayer' });
  });

  it.each<[string, Record<string, unknown>]>([
    ['PARAM_ERROR', { out_trade_no: 'short' }],
    ['PARAM_ERROR', { out_trade_no: NO, amount: { total: 0 } }],
    ['PARAM_ERROR', { out_trade_no: NO, amount: { total: 29.9 } }],
    ['PARAM_ERROR', { out_trade_no: NO, amount: { total: 1, currency: 'USD' } }],
    ['PARAM_ERROR', { out_trade_no: NO, payer: undefined }],
    ['PARAM_ERROR', { out_trade_no: NO, notify_url: 'https://example.com/?a=1' }],
    ['PARAM_ERROR', { out_trade_no: NO, description: '卡'.repeat(43) }],
    ['APPID_MCHID_NOT_MATCH', { out_trade_no: NO, appid: 'wx0000000000000000' }],
    ['MCH_NOT_EXISTS', { out_trade_no: NO, mchid: '1900000000' }],
  ])('is refused with %s for %j', async (code, changes) => {
    expect((await client.prepay('jsapi', changes)).code).toBe(code);
    expect(simulator.ledger.orders).toEqual([]);
  });

  it('is not there, unpaid, paid, and then knows who paid what when', async () => {
    expect(await client.query(NO)).toMatchObject({ status: 404, code: 'ORDER_NOT_EXIST' });
    simulator.placeOrder({ outTradeNo: NO, totalFen: 2990, openid: 'oPayer' });
    const unpaid = (await client.query(NO)).data;
    expect(unpaid).toMatchObject({ trade_state: 'NOTPAY', mchid: keys.merchant.mchid });
    expect(unpaid).not.toHaveProperty('transaction_id');
    await simulator.advance(MINUTE_MS);
    const { payment } = simulator.customerPays(NO, { couponFen: 90 });
    await simulator.advance(HOUR_MS);
    const paid = (await client.query(NO)).data;
    expect(paid).toMatchObject({
      trade_state: 'SUCCESS',
      transaction_id: payment?.transactionId,
      success_time: '2026-01-27T10:01:00+08:00',
      payer: { openid: 'oPayer' },
      amount: { total: 2990, payer_total: 2900, currency: 'CNY' },
      appid: keys.merchant.appid,
    });
    const { mchid } = keys.merchant;
    const byId = await client.get(`/v3/pay/transactions/id/${paid.transaction_id}`, { params: { mchid } });
    expect(byId.data).toEqual(paid);
    expect((await client.get(`/v3/pay/transactions/id/42`, { params: { mchid } })).code).toBe(
      'ORDER_NOT_EXIST',
    );
    expect((await client.prepay('jsapi', { out_trade_no: NO })).code).toBe('ORDER_PAID');
  });

  it('shows no more than was promised of an unpaid order when asked to be sparse', async () => {
    simulator.settings.unpaidAnswer = 'sparse';
    simulator.placeOrder({ outTradeNo: NO, totalFen: 1, tradeType: 'NATIVE' });
    const names = Object.keys((await client.query(NO)).data);
    expect(names.sort()).toEqual(['mchid', 'out_trade_no', 'trade_state', 'trade_state_desc']);
  });

  it('is closed once and for all, but not when it is paid', async () => {
    expect(await client.close(NO)).toMatchObject({ status: 404, code: 'ORDER_NOT_EXIST' });
    simulator.placeOrder({ outTradeNo: NO, totalFen: 1 });
    expect((await client.close(NO)).status).toBe(204);
    expect((await client.close(NO)).status).toBe(204);
    expect((await client.query(NO)).data.trade_state).toBe('CLOSED');
    expect(() => simulator.customerPays(NO)).toThrow('CLOSED');
    expect((await client.prepay('jsapi', { out_trade_no: NO })).code).toBe('ORDER_CLOSED');

    simulator.placeOrder({ outTradeNo: `${NO}P`, totalFen: 1 });
    simulator.customerPays(`${NO}P`);
    expect(await client.close(`${NO}P`)).toMatchObject({ status: 400, code: 'ORDER_PAID' });
    simulator.settings.closePaidAnswer = 'TRADE_ERROR';
    expect(await client.close(`${NO}P`)).toMatchObject({ status: 403, code: 'TRADE_ERROR' });
    expect(simulator.ledger.getOrder(`${NO}P`).state).toBe('SUCCESS');
  });

  it('cannot be paid two hours after its prepay unless that is renewed, and closes by itself', async () => {
    const order = { outTradeNo: NO, totalFen: 1, openid: 'oPayer' };
    simulator.placeOrder(order);
    await simulator.advance(2 * HOUR_MS);
    expect(() => simulator.customerPays(NO)).toThrow('run out');
    simulator.placeOrder(order);
    await simulator.advance(HOUR_MS);
    expect(simulator.customerPays(NO).state).toBe('SUCCESS');

    simulator.placeOrder({ outTradeNo: `${NO}7`, totalFen: 1 });
    await client.prepay('native', { out_trade_no: `${NO}E`, time_expire: '2026-01-27T14:00:00+08:00' });
    await simulator.advance(HOUR_MS);
    expect((await client.query(`${NO}E`)).data.trade_state).toBe('CLOSED');
    expect((await client.query(`${NO}7`)).data.trade_state).toBe('NOTPAY');
    await simulator.advance(7 * DAY_MS);
    expect((await client.query(`${NO}7`)).data.trade_state).toBe('CLOSED');
    expect((await client.query(NO)).data.trade_state).toBe('SUCCESS');
  });
});

describe('a refund', () => {
  const refund = (no: string, fen: number, changes: object = {}) =>
    client.refund({ out_trade_no: NO, out_refund_no: no, amount: { refund: fen, total: 2990 }, ...changes });
  const refundedFen = () =>
    simulator.ledger.refunds
      .filter((one) => statusOf(one) !== 'CLOSED')
      .reduce((sum, one) => sum + one.refundFen, 0);

  beforeEach(() => {
    simulator.placeOrder({ outTradeNo: NO, totalFen: 2990 });
    simulator.customerPays(NO);
  });

  it('is accepted at once and done later, and makes the order a refunded one', async () => {
    const accepted = await refund('R1', 1000);
    expect(accepted.data).toMatchObject({
      status: 'PROCESSING',
      out_refund_no: 'R1',
      out_trade_no: NO,
      amount: { total: 2990, refund: 1000, payer_refund: 1000, currency: 'CNY' },
    });
    expect(accepted.data).not.toHaveProperty('success_time');
    expect((await client.query(NO)).data.trade_state).toBe('REFUND');
    await simulator.advance(5 * MINUTE_MS);
    expect((await client.get('/v3/refund/domestic/refunds/R1')).data).toMatchObject({
      status: 'SUCCESS',
      refund_id: accepted.data.refund_id,
      success_time: '2026-01-27T10:05:00+08:00',
    });
    expect(await client.get('/v3/refund/domestic/refunds/R2')).toMatchObject({
      status: 404,
      code: 'RESOURCE_NOT_EXISTS',
    });
  });

  it('is one refund however often it is asked for, by whichever id of the order', async () => {
    const first = (await refund('R1', 1000)).data;
    expect((await refund('R1', 1000)).data).toEqual(first);
    const byId = { out_trade_no: undefined, transaction_id: first.transaction_id };
    expect((await refund('R1', 1000, byId)).data).toEqual(first);
    expect((await refund('R1', 999)).code).toBe('INVALID_REQUEST');
    expect(refundedFen()).toBe(1000);
  });

  it('never exceeds the order, and one that was closed counts no more', async () => {
    simulator.settings.refundGapMs = 0;
    expect((await refund('R0', 2991)).code).toBe('INVALID_REQUEST');
    expect((await refund('R1', 2000)).status).toBe(200);
    expect((await refund('R2', 991)).code).toBe('INVALID_REQUEST');
    expect((await refund('R3', 990)).status).toBe(200);
    expect(refundedFen()).toBe(2990);
    expect(simulator.ledger.balanceFen).toBe(0);
    simulator.endRefund('R1', 'CLOSED');
    expect((await refund('R1', 2000)).data.status).toBe('CLOSED');
    expect((await refund('R4', 2001)).code).toBe('INVALID_REQUEST');
    expect((await refund('R4', 2000)).status).toBe(200);
    expect(refundedFen()).toBe(2990);
    expect(simulator.ledger.balanceFen).toBe(0);
    expect(() => simulator.endRefund('R1', 'SUCCESS')).toThrow('CLOSED');
  });

  it('stops at fifty parts, at a year, and at two within a minute', async () => {
    expect((await refund('R0', 1)).status).toBe(200);
    expect(await refund('R1', 1)).toMatchObject({ status: 429, code: 'FREQUENCY_LIMITED' });
    await simulator.advance(MINUTE_MS);
    simulator.settings.refundGapMs = 0;
    for (let part = 1; part < 50; part += 1) expect((await refund(`R${part}`, 1)).status).toBe(200);
    expect((await refund('R50', 1)).code).toBe('INVALID_REQUEST');

    simulator.placeOrder({ outTradeNo: `${NO}Y`, totalFen: 2990 });
    const { payment } = simulator.customerPays(`${NO}Y`);
    const sinceMs = simulator.clock.nowMs() - (payment?.successTimeMs ?? 0);
    await simulator.advance(365 * DAY_MS - sinceMs);
    expect((await refund('Y1', 1, { out_trade_no: `${NO}Y` })).status).toBe(200);
    await simulator.advance(1);
    expect((await refund('Y2', 1, { out_trade_no: `${NO}Y` })).code).toBe('INVALID_REQUEST');
  });

  it('needs an order that is paid, its true total and a number of the right form', async () => {
    simulator.placeOrder({ outTradeNo: `${NO}U`, totalFen: 2990 });
    expect(await refund('R1', 1, { out_trade_no: `${NO}U` })).toMatchObject({
      status: 404,
      code: 'RESOURCE_NOT_EXISTS',
    });
    expect((await refund('R1', 1, { amount: { refund: 1, total: 2991 } })).code).toBe('INVALID_REQUEST');
    expect((await refund('R 1', 1)).code).toBe('PARAM_ERROR');
    expect((await refund('R1', 1, { out_trade_no: undefined })).code).toBe('PARAM_ERROR');
    expect(refundedFen()).toBe(0);
  });

  it('needs money on the account: refused, or accepted and closed after a week', async () => {
    simulator.merchantWithdraws(simulator.ledger.balanceFen);
    expect(await refund('R1', 1000)).toMatchObject({ status: 403, code: 'NOT_ENOUGH' });
    simulator.settings.shortFunds = 'close-after-seven-days';
    expect((await refund('R2', 1000)).data.status).toBe('PROCESSING');
    await simulator.advance(7 * DAY_MS);
    expect((await client.get('/v3/refund/domestic/refunds/R2')).data.status).toBe('CLOSED');
    expect(simulator.ledger.balanceFen).toBe(0);
    simulator.merchantTopsUp(1000);
    expect((await refund('R1', 1000)).data.status).toBe('PROCESSING');
  });

  it('is not read while too many failed within a second', async () => {
    simulator.settings.failingRefundsPerSecondMax = 6;
    for (let failed = 0; failed < 6; failed += 1) expect((await refund('R1', 2991)).status).toBe(400);
    expect((await refund('R1', 1)).status).toBe(429);
    await simulator.advance(1000);
    expect((await refund('R1', 1)).status).toBe(200);
  });

  it('that is abnormal goes to another card, once', async () => {
    simulator.settings.refundEnd = 'ABNORMAL';
    const { refund_id } = (await refund('R1', 1000)).data;
    const key = keys.platform[0];
    const path = `/v3/refund/domestic/refunds/${refund_id}/apply-abnormal-refund`;
    const card = {
      out_refund_no: 'R1',
      type: 'USER_BANK_CARD',
      bank_type: 'ICBC_DEBIT',
      bank_account: Rsa.encrypt('6222000000000000', key.pem),
      real_name: Rsa.encrypt('Zhang San', key.pem),
    };
    const named = { 'Wechatpay-Serial': key.serial };
    expect((await client.post(path, card, named)).code).toBe('INVALID_REQUEST');
    await simulator.advance(5 * MINUTE_MS);
    expect((await client.get('/v3/refund/domestic/refunds/R1')).data.status).toBe('ABNORMAL');
    expect((await client.post(path, card)).code).toBe('PARAM_ERROR');
    expect((await client.post(path, { ...card, real_name: 'Zhang San' }, named)).code).toBe('PARAM_ERROR');
    expect((await client.post(path, card, named)).data.status).toBe('PROCESSING');
    expect((await client.post(path, card, named)).code).toBe('INVALID_REQUEST');
    await simulator.advance(5 * MINUTE_MS);
    expect((await client.get('/v3/refund/domestic/refunds/R1')).data.status).toBe('SUCCESS');
  });
});
