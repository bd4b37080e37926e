import { describe, expect, it } from 'vitest';
import { failureOfAnswer, heldBack, isChannelFailure, unknownOutcome } from './wechatpay-outcome.js';
import type { WechatpayOutcome } from './wechatpay.types.js';

const answer = (status: number, body: unknown) =>
  failureOfAnswer({ status, body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) });
const coded = (status: number, code: string, message = '说明') => answer(status, { code, message });

/** Status, code, what to do: the table of the protocol notes, in both spellings where both exist. */
const CASES: readonly [number, string, WechatpayOutcome][] = [
  [500, 'SYSTEM_ERROR', 'unknown'],
  [500, 'SYSTEMERROR', 'unknown'],
  [502, 'BAD_GATEWAY', 'unknown'],
  [503, 'ORDER_NOT_EXIST', 'unknown'],
  [400, 'SYSTEM_ERROR', 'unknown'],
  [429, 'FREQUENCY_LIMITED', 'not_accepted'],
  [429, 'RATELIMIT_EXCEEDED', 'not_accepted'],
  [403, 'RULE_LIMIT', 'not_accepted'],
  [403, 'RULELIMIT', 'not_accepted'],
  [403, 'NOT_ENOUGH', 'not_accepted'],
  [403, 'NOTENOUGH', 'not_accepted'],
  [400, 'STATEMENT_CREATING', 'not_accepted'],
  [404, 'ORDER_NOT_EXIST', 'not_found'],
  [404, 'ORDERNOTEXIST', 'not_found'],
  [404, 'RESOURCE_NOT_EXISTS', 'not_found'],
  [400, 'NO_STATEMENT_EXIST', 'not_found'],
  [400, 'INVALID_REQUEST', 'final'],
  [403, 'USER_ACCOUNT_ABNORMAL', 'final'],
  [400, 'ORDER_PAID', 'final'],
  [400, 'ORDERPAID', 'final'],
  [400, 'ORDER_CLOSED', 'final'],
  [403, 'OUT_TRADE_NO_USED', 'final'],
  [403, 'TRADE_ERROR', 'final'],
  [401, 'SIGN_ERROR', 'misconfigured'],
  [403, 'NO_AUTH', 'misconfigured'],
  [400, 'MCH_NOT_EXISTS', 'misconfigured'],
  [404, 'MCH_NOT_EXISTS', 'misconfigured'],
  [400, 'APPID_MCHID_NOT_MATCH', 'misconfigured'],
  [400, 'PARAM_ERROR', 'misconfigured'],
  // A code that is not in the table is no decision: acting on a guess could pay a refund twice.
  [400, 'SOMETHING_NEW', 'unknown'],
];

describe('failureOfAnswer', () => {
  it.each(CASES)('takes %i %s for %s', (status, code, outcome) => {
    const failure = coded(status, code);
    expect(failure.outcome).toBe(outcome);
    expect(failure.code).toBe(`wechatpay_${outcome}`);
    expect(failure.httpStatus).toBe(status);
  });

  it('keeps the code without underscores, and the message of a refusal', () => {
    const refusal = coded(400, 'INVALID_REQUEST', '订单已全额退款');
    expect(refusal.reason).toBe('INVALIDREQUEST');
    expect(refusal.message).toContain('订单已全额退款');
    expect(refusal.kind).toBe('conflict');
  });

  // A proxy or a wrong address answers 404, too: that says nothing about an order.
  it.each([
    [404, '<html>not found</html>'],
    [403, '<html>blocked</html>'],
    [401, ''],
    [404, '{"error":"no route"}'],
    [404, '[]'],
    [404, 'null'],
    [404, '{"code":404,"message":"no"}'],
    [404, '{"code":"order not exist"}'],
    [302, '{"code":"ORDER_NOT_EXIST","message":"no"}'],
    [202, '{}'],
    [502, '<html>bad gateway</html>'],
  ])('takes %i %s for unknown', (status, body) => {
    expect(answer(status, body).outcome).toBe('unknown');
  });

  it('takes any 429 for not accepted, and says how long to wait', () => {
    expect(answer(429, '<html>slow down</html>')).toMatchObject({
      outcome: 'not_accepted',
      reason: 'FREQUENCYLIMITED',
      retryAfterMs: 60_000,
    });
    expect(coded(403, 'RULE_LIMIT').retryAfterMs).toBe(60_000);
  });

  // The body of an error is not signed: whoever answered may have written anything into it.
  it('does not repeat what a message quotes, nor more than a line of it', () => {
    const openid = `o${'CANARYopenid-_0123456789abc'.slice(0, 27)}`;
    const failure = coded(
      400,
      'PARAM_ERROR',
      `openid=${openid} 与 ${openid} 不符\nsecond line ${'x'.repeat(5000)}`,
    );
    expect(openid).toHaveLength(28);
    expect(failure.message).not.toContain('CANARY');
    expect(failure.message).not.toContain('\n');
    expect(failure.message.length).toBeLessThan(400);
  });
});

describe('isChannelFailure', () => {
  it('counts what speaks of the way to WeChat Pay, not of one order', () => {
    expect(isChannelFailure(unknownOutcome('timeout'))).toBe(true);
    expect(isChannelFailure(unknownOutcome('unverified'))).toBe(true);
    expect(isChannelFailure(coded(500, 'SYSTEM_ERROR'))).toBe(true);
    expect(isChannelFailure(answer(404, '<html>'))).toBe(true);
    expect(isChannelFailure(unknownOutcome('unexpected_content'))).toBe(false);
    expect(isChannelFailure(coded(400, 'SOMETHING_NEW'))).toBe(false);
    expect(isChannelFailure(coded(404, 'ORDER_NOT_EXIST'))).toBe(false);
    expect(isChannelFailure(heldBack('breaker_open', 10))).toBe(false);
  });
});
