import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { FunctionFault } from '../../support/cloud-function-stand-in.ts';
import { RefundBackend } from '../../support/refund-backend.js';
import type { RefundWay } from '../../support/refund-backend.js';
import type { Fault } from '../../support/wechatpay-simulator/faults.ts';
import { eventually } from '../../support/until.ts';

const CREATE = { route: 'refund-create' } as const;

const DIRECT_FAULTS: readonly Fault[] = [
  'error-before',
  'error-after',
  'html-502-before',
  'html-502-after',
  'hang-before',
  'hang-after',
  'reset-before',
  'reset-after',
  'too-many-before',
  'rule-limit-before',
  'bad-signature',
  'missing-headers',
  'truncated',
  'changed-body',
  'redirect-before',
];

const FUNCTION_FAULTS: readonly FunctionFault[] = [
  'blank-before',
  'blank-after',
  'refused-before',
  'refused-after',
  'platform-timeout-before',
  'platform-timeout-after',
  'html-502-before',
  'html-502-after',
  'reset-before',
  'reset-after',
  { rewrite: () => ({ code: 0, msg: 'success', data: { refund_id: '50300', status: 'submitted' } }) },
  { rewrite: () => ({ code: 0, data: { refund_id: '50300', out_refund_no: 'another', status: 'SUCCESS' } }) },
  { rewrite: () => ({ errcode: 40001, errmsg: 'invalid credential' }) },
  { rewrite: () => [] },
];

/** Whatever came of the first attempts, in the end the money went back once, and everything says so. */
async function expectOnePayout(shop: RefundBackend, fail: () => void): Promise<void> {
  const outTradeNo = await shop.paidOrder();
  const { outRefundNo } = await shop.request(outTradeNo, '29.90');
  fail();
  await shop.settleDue();
  expect(await shop.row(outRefundNo)).toMatchObject({ status: 'pending' });
  if (shop.way !== 'function-alone') await shop.simulator.advance(70_000); // the breaker, and a limit's pause
  await shop.settleUntilDone(outTradeNo);
  expect(shop.refundsAtWechat(outTradeNo)).toEqual([{ outRefundNo, fen: 2990, status: 'SUCCESS' }]);
  expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
  expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  expect((await shop.exceptionsAbout(outRefundNo)).filter(({ status }) => status === 'open')).toEqual([]);
}

// Each of these has paid some shop's customer twice, or left a refund in the air.
describe('WeChat Pay failing', () => {
  let shop: RefundBackend;
  beforeAll(async () => {
    shop = await RefundBackend.start('wechatpay');
  });
  afterAll(() => shop.stop());
  afterEach(() => shop.backend.heal());

  it.each(DIRECT_FAULTS)('with %s pays once all the same', (fault) =>
    expectOnePayout(shop, () => shop.simulator.faults.next(fault, CREATE)),
  );

  it('for a whole hour is asked again and again, and pays once', async () => {
    await expectOnePayout(shop, () => shop.simulator.faults.next('error-after', { times: 8 }));
  });

  it('to answer the questions as well settles when it answers again', async () => {
    await expectOnePayout(shop, () => {
      shop.simulator.faults.next('hang-after', CREATE);
      shop.simulator.faults.next('error-before', { route: 'refund-query', times: 3 });
    });
  });

  // Refusals are not signed, and may be wrong: nothing is given up, and nothing paid twice, on one alone.
  it('to know a refund it has made is not believed', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    shop.simulator.faults.next('hang-after', CREATE);
    await shop.settleDue();
    shop.simulator.faults.next({ status: 404, code: 'RESOURCE_NOT_EXISTS' }, { route: 'refund-query' });
    shop.simulator.faults.next({ status: 400, code: 'INVALID_REQUEST' }, CREATE);
    await shop.settle();
    expect(shop.simulator.faults.left).toBe(0);
    expect((await shop.settlement(outRefundNo))?.sends).toBe(2);
    await shop.settleUntilDone(outTradeNo);
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
  });

  it('for good closes the refund, with WeChat Pay’s words for the operator', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    const refusal = { status: 403, code: 'USER_ACCOUNT_ABNORMAL', message: '用户账户异常' };
    shop.simulator.faults.next(refusal, { ...CREATE, times: 5 });
    await shop.settleDue();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'closed' });
    const [exception] = await shop.exceptionsAbout(outRefundNo);
    expect(exception).toMatchObject({ kind: 'refund_refused', status: 'open' });
    expect(exception?.reason).toContain('用户账户异常');
    expect(shop.refundsAtWechat(outTradeNo)).toEqual([]);
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
  });

  it('to know our keys is told to an operator, and the refund waits', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    shop.simulator.faults.next({ status: 401, code: 'SIGN_ERROR' }, CREATE);
    await shop.settleDue();
    expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([
      { kind: 'refund_unsettled', status: 'open' },
    ]);
    expect((await shop.settlement(outRefundNo))?.due_in_s).toBeGreaterThan(300);
    await shop.retry(outRefundNo);
    await shop.settleUntilDone(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([{ status: 'resolved' }]);
  });
});

describe.each(['cloud-function', 'function-alone'] satisfies RefundWay[])(
  'the function failing, by way of %s',
  (way) => {
    let shop: RefundBackend;
    beforeAll(async () => {
      shop = await RefundBackend.start(way);
    });
    afterAll(() => shop.stop());
    afterEach(() => shop.standIn.heal());

    it.each(FUNCTION_FAULTS)('with %j pays once all the same', (fault) =>
      expectOnePayout(shop, () => shop.standIn.failNext(fault)),
    );

    it('with a hang after the effect pays once all the same', async () => {
      await expectOnePayout(shop, () => shop.standIn.failNext('hang-after'));
    });

    // Somebody's word wrote it; a request that names a transaction refunds whatever order that paid.
    it('goes to its own order, whatever transaction the row names', async () => {
      const [ours, other] = [await shop.paidOrder(), await shop.paidOrder()];
      const transactionId = shop.backend.transactionOf(other);
      await shop.database.query('UPDATE payment_orders SET transaction_id = ? WHERE out_trade_no = ?', [
        transactionId,
        ours,
      ]);
      await shop.request(ours, '29.90');
      await shop.settleUntilDone(ours);
      expect(shop.refundsAtWechat(ours)).toHaveLength(1);
      expect(shop.refundsAtWechat(other)).toEqual([]);
    });

    // The deployed function reads fen in snake case, the contract names the others: one body serves both.
    it('is asked in both shapes, with our number and the token', async () => {
      const outTradeNo = await shop.paidOrder();
      const { outRefundNo } = await shop.request(outTradeNo, '1.10', { reason: 'a part' });
      await shop.settleDue();
      const call = shop.standIn.calls.at(-1);
      expect(call?.isAuthorized).toBe(true);
      expect(call?.event).toMatchObject({
        type: 'wxpay_refund',
        out_refund_no: outRefundNo,
        amount: { refund: 110, total: 2990, currency: 'CNY' },
        outTradeNo,
        refundAmount: 1.1,
        reason: 'a part',
      });
    });
  },
);

describe('the function hanging', () => {
  it('after the effect pays once all the same', async () => {
    const shop = await RefundBackend.start('function-alone');
    try {
      await expectOnePayout(shop, () => shop.standIn.failNext('hang-after'));
    } finally {
      await shop.stop();
    }
  });
});

describe('a callback', () => {
  it('that comes before the response is the same refund', async () => {
    const shop = await RefundBackend.start('wechatpay');
    try {
      const outTradeNo = await shop.paidOrder();
      const { outRefundNo } = await shop.request(outTradeNo, '29.90');
      shop.simulator.faults.next('hang-after', CREATE);
      const sending = shop.settleDue();
      await eventually(() => expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1));
      await shop.finish(); // the money arrives, and the notice of it, while the answer is still awaited
      expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
      await sending;
      await shop.settle();
      expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
      expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
      expect((await shop.order(outTradeNo)).grants.map(({ entry }) => entry)).toEqual([
        'grant',
        'revocation',
      ]);
      expect((await shop.exceptionsAbout(outRefundNo)).filter(({ status }) => status === 'open')).toEqual([]);
    } finally {
      await shop.stop();
    }
  });
});
