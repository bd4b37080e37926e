import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutTradeNo } from '../../../src/shared/ids.js';
import { Money } from '../../../src/shared/money.js';
import { failureOf, openChannel } from '../../support/wechatpay-channel.js';
import type { Channel } from '../../support/wechatpay-channel.js';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.ts';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';

let simulator: WechatPaySimulator;
let channel: Channel;
let numbers = 0;

beforeAll(async () => {
  const clock = SimulatorClock.heldAt(Date.UTC(2026, 0, 27, 2));
  simulator = await startWechatPaySimulator({ mode: 'public-key', clock });
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
  const outTradeNo = `3706345678901${String(++numbers).padStart(5, '0')}` as OutTradeNo;
  simulator.placeOrder({ outTradeNo, totalFen: 2990, tradeType: 'JSAPI' });
  simulator.customerPays(outTradeNo);
  return outTradeNo;
}

const refundOf = (outTradeNo: OutTradeNo) => ({
  order: { outTradeNo },
  outRefundNo: `RF${outTradeNo}`,
  refundAmount: Money.ofFen(1000),
  orderAmount: Money.ofFen(2990),
});

describe('the circuit breaker', () => {
  it('opens after five failures in a row, asks nothing, and closes after a good probe', async () => {
    const outTradeNo = placePaid();
    simulator.faults.next('error-before', { times: 6 });
    for (let call = 0; call < 5; call++) await failureOf(channel.service.queryByOutTradeNo(outTradeNo));
    const sent = simulator.requests.length;
    const held = await failureOf(channel.service.queryByOutTradeNo(outTradeNo));
    expect(held).toMatchObject({ outcome: 'not_accepted', reason: 'breaker_open', retryAfterMs: 10_000 });
    expect((await failureOf(channel.service.createRefund(refundOf(outTradeNo)))).reason).toBe('breaker_open');
    expect(simulator.requests).toHaveLength(sent);
    await simulator.advance(10_000);
    // The probe fails as well: another pause.
    expect((await failureOf(channel.service.queryByOutTradeNo(outTradeNo))).reason).toBe('server_error');
    expect((await failureOf(channel.service.queryByOutTradeNo(outTradeNo))).reason).toBe('breaker_open');
    await simulator.advance(10_000);
    expect((await channel.service.queryByOutTradeNo(outTradeNo)).state).toBe('paid');
    expect((await channel.service.queryByOutTradeNo(outTradeNo)).state).toBe('paid');
    expect(channel.log.lines.map(({ event }) => event)).toContain('wechatpay.breaker_closed');
  });

  // One order that never fits must not keep all others from being asked about.
  it('stays closed over answers that do not fit and refusals', async () => {
    const outTradeNo = placePaid();
    simulator.faults.next({ rewrite: () => ({}) }, { times: 10 });
    for (let call = 0; call < 10; call++) await failureOf(channel.service.queryByOutTradeNo(outTradeNo));
    for (const code of ['NO_AUTH', 'NOT_IN_ANY_TABLE']) {
      simulator.faults.next({ status: 403, code }, { times: 10 });
      for (let call = 0; call < 10; call++) await failureOf(channel.service.queryByOutTradeNo(outTradeNo));
    }
    expect((await channel.service.queryByOutTradeNo(outTradeNo)).state).toBe('paid');
  });
});

describe('the limits', () => {
  it('let no more than six refund calls fail within a second', async () => {
    simulator.faults.next(
      { status: 400, code: 'INVALID_REQUEST' },
      { times: Infinity, route: 'refund-create' },
    );
    const outTradeNo = placePaid();
    const sent = simulator.requests.length;
    const calls = Array.from({ length: 20 }, () =>
      failureOf(channel.service.createRefund(refundOf(outTradeNo))),
    );
    const reasons = (await Promise.all(calls)).map(({ reason }) => reason);
    expect(reasons.filter((reason) => reason === 'INVALIDREQUEST')).toHaveLength(6);
    expect(reasons.filter((reason) => reason === 'rate_limited')).toHaveLength(14);
    expect(simulator.requests).toHaveLength(sent + 6);
    simulator.faults.clear();
    await simulator.advance(1000);
    expect((await channel.service.createRefund(refundOf(outTradeNo))).status).toBe('PROCESSING');
  });

  it('hold back queries beyond 300 a second', async () => {
    const outTradeNo = placePaid();
    // The clock stands still, so those beyond would have to wait a second: more than half of their time.
    const ask = () => channel.service.queryByOutTradeNo(outTradeNo, { deadlineMs: 1900 });
    const results = await Promise.allSettled(Array.from({ length: 310 }, ask));
    const failures = results.flatMap((result) =>
      result.status === 'rejected' ? [result.reason as unknown] : [],
    );
    const limited = { outcome: 'not_accepted', reason: 'rate_limited', retryAfterMs: 1000 };
    expect(
      failures.filter((failure) => (failure as { reason: string }).reason === 'rate_limited'),
    ).toHaveLength(10);
    expect(failures).toContainEqual(expect.objectContaining(limited));
  });
});
