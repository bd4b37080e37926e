import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutTradeNo } from '../../../src/shared/ids.js';
import { Money } from '../../../src/shared/money.js';
import type { WechatpayOutcome } from '../../../src/wechatpay/wechatpay.types.js';
import { failureOf, openChannel } from '../../support/wechatpay-channel.js';
import type { Channel } from '../../support/wechatpay-channel.js';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.ts';
import { FAULT_KINDS } from '../../support/wechatpay-simulator/faults.ts';
import type { FaultKind } from '../../support/wechatpay-simulator/faults.ts';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';

const OPENID = 'oCANARYopenidOfThisTest00001';
/** The names of the faults, and what the client must make of each. */
const BY_FAULT: Record<FaultKind, readonly [WechatpayOutcome, string]> = {
  'bad-signature': ['unknown', 'unverified'],
  'missing-headers': ['unknown', 'unverified'],
  'unknown-serial': ['unknown', 'unverified'],
  skew: ['unknown', 'unverified'],
  'changed-body': ['unknown', 'unverified'],
  truncated: ['unknown', 'connection'],
  huge: ['unknown', 'too_large'],
  'too-many-before': ['not_accepted', 'FREQUENCYLIMITED'],
  'rule-limit-before': ['not_accepted', 'RULELIMIT'],
  'error-before': ['unknown', 'server_error'],
  'error-after': ['unknown', 'server_error'],
  'html-502-before': ['unknown', 'server_error'],
  'html-502-after': ['unknown', 'server_error'],
  'redirect-before': ['unknown', 'not_wechatpay'],
  'hang-before': ['unknown', 'timeout'],
  'hang-after': ['unknown', 'timeout'],
  'reset-before': ['unknown', 'connection'],
  'reset-after': ['unknown', 'connection'],
};
const QUICK_FAULTS = FAULT_KINDS.filter((fault) => !fault.startsWith('hang'));

let simulator: WechatPaySimulator;
let channel: Channel;
let numbers = 0;

beforeAll(async () => {
  const clock = SimulatorClock.heldAt(Date.UTC(2026, 0, 27, 2));
  simulator = await startWechatPaySimulator({ mode: 'switching', clock });
  simulator.settings.notice = { ...simulator.settings.notice, copies: 0 };
  simulator.settings.refundNotifyUrl = null;
});
afterAll(() => simulator.close());
beforeEach(() => {
  simulator.faults.clear();
  channel = openChannel(simulator);
  return () => channel.service.onApplicationShutdown();
});

function placePaid(): OutTradeNo {
  const outTradeNo = `2706345678901${String(++numbers).padStart(5, '0')}` as OutTradeNo;
  simulator.placeOrder({ outTradeNo, totalFen: 2990, tradeType: 'JSAPI', openid: OPENID });
  simulator.customerPays(outTradeNo);
  return outTradeNo;
}

const refundOf = (outTradeNo: OutTradeNo) => ({
  order: { outTradeNo },
  outRefundNo: `RF${outTradeNo}`,
  refundAmount: Money.ofFen(1000),
  orderAmount: Money.ofFen(2990),
});
const refundsOf = (outTradeNo: OutTradeNo) =>
  simulator.ledger.refunds.filter(({ order }) => order.outTradeNo === outTradeNo);

describe('faults', () => {
  it.each(FAULT_KINDS)('of a query (%s) are told apart, and the next one succeeds', async (fault) => {
    const outTradeNo = placePaid();
    const [outcome, reason] = BY_FAULT[fault];
    simulator.faults.next(fault);
    const failure = await failureOf(channel.service.queryByOutTradeNo(outTradeNo, { deadlineMs: 300 }));
    expect(failure).toMatchObject({ outcome, reason, code: `wechatpay_${outcome}`, kind: 'unavailable' });
    expect(channel.log.lines).toMatchObject([
      { level: 'warned', event: 'wechatpay.call_failed', outcome, reason, outTradeNo },
    ]);
    expect((await channel.service.queryByOutTradeNo(outTradeNo)).state).toBe('paid');
    expect(simulator.requests.filter(({ route }) => route === 'redirect-trap')).toEqual([]);
  });

  // Whatever got lost on the way, the same number leads to one refund: the money leaves once.
  it.each(QUICK_FAULTS)('of a refund (%s) leave one refund after it is sent again', async (fault) => {
    const outTradeNo = placePaid();
    const request = refundOf(outTradeNo);
    simulator.faults.next(fault, { route: 'refund-create' });
    expect((await failureOf(channel.service.createRefund(request))).outcome).toBe(BY_FAULT[fault][0]);
    expect(refundsOf(outTradeNo)).toHaveLength(fault.endsWith('-before') ? 0 : 1);
    expect((await channel.service.createRefund(request)).status).toBe('PROCESSING');
    expect(refundsOf(outTradeNo)).toHaveLength(1);
  });

  it('of a close are unknown, and closing again settles it', async () => {
    for (const fault of ['bad-signature', 'missing-headers', 'error-after', 'huge'] as const) {
      const outTradeNo = `close-${fault}` as OutTradeNo;
      simulator.placeOrder({ outTradeNo, totalFen: 1, tradeType: 'NATIVE' });
      simulator.faults.next(fault);
      expect((await failureOf(channel.service.closeOrder(outTradeNo))).outcome).toBe('unknown');
      await channel.service.closeOrder(outTradeNo);
      expect(simulator.ledger.getOrder(outTradeNo).state).toBe('CLOSED');
    }
  });

  it('of a bill that is not the signed one are unknown', async () => {
    placePaid();
    const day = new Date(simulator.clock.nowMs() + 8 * 3_600_000).toISOString().slice(0, 10);
    await simulator.advance(2 * 86_400_000);
    const ticket = await channel.service.tradeBill({ billDate: day });
    simulator.faults.next('huge', { route: 'bill-download' });
    const failure = await failureOf(channel.service.downloadBill(ticket));
    expect(failure).toMatchObject({ outcome: 'unknown', reason: 'unexpected_content' });
    expect((await channel.service.downloadBill(ticket)).length).toBeGreaterThan(100);
  });

  it.each<[string, Record<string, unknown>]>([
    ['another merchant', { mchid: '1900000001' }],
    ['another app', { appid: 'wx0000000000000000' }],
    ['another order', { out_trade_no: '170634567890199999' }],
    ['an amount in text', { amount: { total: '2990', currency: 'CNY' } }],
    ['parts of a fen', { amount: { total: 29.9, currency: 'CNY' } }],
    ['another currency', { amount: { total: 2990, currency: 'USD' } }],
    ['no transaction', { transaction_id: undefined }],
    ['an unknown state', { trade_state: 'PAID' }],
    ['no time of payment', { success_time: '' }],
  ])('does not trust a signed answer about %s', async (_what, changes) => {
    const outTradeNo = placePaid();
    simulator.faults.next({ rewrite: (body) => ({ ...body, ...changes }) });
    const failure = await failureOf(channel.service.queryByOutTradeNo(outTradeNo));
    expect(failure).toMatchObject({ outcome: 'unknown', reason: 'unexpected_content' });
  });

  it.each<[number, string, WechatpayOutcome]>([
    [401, 'SIGN_ERROR', 'misconfigured'],
    [403, 'NO_AUTH', 'misconfigured'],
    [404, 'MCH_NOT_EXISTS', 'misconfigured'],
    [400, 'APPID_MCHID_NOT_MATCH', 'misconfigured'],
    [400, 'PARAM_ERROR', 'misconfigured'],
    [403, 'USER_ACCOUNT_ABNORMAL', 'final'],
    [404, 'RESOURCE_NOT_EXISTS', 'not_found'],
    [400, 'NOT_IN_ANY_TABLE', 'unknown'],
  ])(
    'takes %i %s for what it is, and raises the alarm when we are at fault',
    async (status, code, outcome) => {
      const outTradeNo = placePaid();
      simulator.faults.next({ status, code, message: `说明 ${OPENID}` });
      const failure = await failureOf(channel.service.createRefund(refundOf(outTradeNo)));
      expect(failure).toMatchObject({ outcome, httpStatus: status });
      const alarms = channel.log.lines.filter(({ level }) => level === 'failed');
      expect(alarms).toHaveLength(outcome === 'misconfigured' ? 1 : 0);
    },
  );

  it('says misconfigured when the serial or the merchant is not the one of the key', async () => {
    for (const [name, value] of [
      ['WECHAT_SERIAL_NO', 'ABCDEF'],
      ['WECHAT_MCHID', '1900000001'],
    ] as const) {
      const wrong = openChannel(simulator, { [name]: value });
      const failure = await failureOf(wrong.service.queryByOutTradeNo(placePaid()));
      expect(failure.outcome).toBe('misconfigured');
      wrong.service.onApplicationShutdown();
    }
  });
});

describe('what is not WeChat Pay', () => {
  async function listen(listener: RequestListener): Promise<{ url: string; close: () => void }> {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}`,
      close: () => {
        server.close();
        server.closeAllConnections();
      },
    };
  }

  it('is cut off at the deadline even while it sends a byte now and then', async () => {
    const slow = await listen((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'application/json' });
      const drip = setInterval(() => response.write(' '), 20);
      response.on('close', () => clearInterval(drip));
    });
    const other = openChannel(simulator, { WECHAT_API_BASE_URL: slow.url });
    const startedMs = performance.now();
    const failure = await failureOf(other.service.queryByOutTradeNo(placePaid(), { deadlineMs: 300 }));
    expect(failure).toMatchObject({ outcome: 'unknown', reason: 'timeout' });
    expect(performance.now() - startedMs).toBeLessThan(2000);
    other.service.onApplicationShutdown();
    slow.close();
  });

  it('is not believed, whatever it answers, and a closed port is unknown as well', async () => {
    const paid = placePaid();
    const body = JSON.stringify({ mchid: channel.config.mchid, out_trade_no: paid, trade_state: 'CLOSED' });
    const portal = await listen((_request, response) => response.writeHead(200).end(body));
    const other = openChannel(simulator, { WECHAT_API_BASE_URL: portal.url });
    expect(await failureOf(other.service.queryByOutTradeNo(paid))).toMatchObject({
      outcome: 'unknown',
      reason: 'unverified',
    });
    portal.close();
    expect(await failureOf(other.service.queryByOutTradeNo(paid))).toMatchObject({
      outcome: 'unknown',
      reason: 'connection',
    });
    other.service.onApplicationShutdown();
  });
});

describe('errors and log lines', () => {
  it('hold nothing of keys, headers, bodies or payers, however they are printed', async () => {
    const outTradeNo = placePaid();
    const printed: string[] = [];
    for (const fault of QUICK_FAULTS) {
      simulator.faults.next(fault);
      const failure = await failureOf(channel.service.queryByOutTradeNo(outTradeNo));
      printed.push(
        inspect(failure, { depth: 12, showHidden: true }),
        JSON.stringify(failure),
        String(failure.cause),
      );
      await channel.service.queryByOutTradeNo(outTradeNo);
    }
    simulator.faults.next({ status: 400, code: 'PARAM_ERROR', message: `payer ${OPENID}` });
    const misconfigured = await failureOf(channel.service.queryByOutTradeNo(outTradeNo));
    printed.push(inspect(misconfigured, { depth: 12, showHidden: true }), JSON.stringify(channel.log.lines));
    const text = printed.join('\n');
    const { privateKeyPem, apiv3Key } = simulator.keys.merchant;
    const keyLines = privateKeyPem.split('\n').slice(1, -2);
    for (const secret of [
      OPENID,
      apiv3Key,
      'WECHATPAY2-SHA256-RSA2048 mchid',
      'Authorization',
      ...keyLines,
    ]) {
      expect(text).not.toContain(secret);
    }
    expect(text).toContain('wechatpay_unknown');
  });
});
