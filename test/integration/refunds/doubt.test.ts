import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RefundedSweepService } from '../../../src/payments/refunded-sweep.service.js';
import { JobLeasesRepository } from '../../../src/platform/jobs/job-leases.repository.js';
import { RefundBillsService } from '../../../src/reconciliation/refund-bills.service.js';
import { RefundSweepService } from '../../../src/refunds/refund-sweep.service.js';
import { newOutTradeNo } from '../../support/builders.js';
import { RefundBackend } from '../../support/refund-backend.js';
import { noLease, openidOf } from '../../support/wechatpay-backend.js';
import { eventually } from '../../support/until.ts';

const DAY_MS = 86_400_000;
const CREATE = { route: 'refund-create' } as const;

async function write(
  shop: RefundBackend,
  outTradeNo: string,
  row: Record<string, string> = {},
): Promise<string> {
  const outRefundNo = row.out_refund_no ?? `refund_${outTradeNo}`;
  const written = { refund_amount: '29.90', total_amount: '29.90', status: 'pending', ...row };
  await shop.database.query('INSERT INTO refunds SET ?', [
    { id: `refund-${outTradeNo}`, out_refund_no: outRefundNo, out_trade_no: outTradeNo, ...written },
  ]);
  return outRefundNo;
}

async function openExceptions(shop: RefundBackend, subject: string): Promise<string[]> {
  const exceptions = await shop.exceptionsAbout(subject);
  return exceptions.filter(({ status }) => status === 'open').map(({ kind }) => kind);
}

describe('a refund in doubt, where WeChat Pay can be asked', () => {
  let shop: RefundBackend;
  beforeAll(async () => {
    shop = await RefundBackend.start('wechatpay');
    shop.simulator.settings.refundNotifyUrl = null;
  });
  afterAll(() => shop.stop());
  beforeEach(() => shop.backend.heal());

  const readBills = () =>
    shop.backend.application.app.get(RefundBillsService).checkDays(new AbortController().signal);

  async function passOverAll(): Promise<void> {
    const { app } = shop.backend.application;
    const lease = await app.get(JobLeasesRepository).claim('refund-sweep-full', 'test', 10_000);
    await app.get(RefundSweepService).sweepNextStep({ ...noLease(), lease });
  }

  /** It took effect, and everything that WeChat Pay says afterwards, unsigned, speaks against it. */
  async function closedThoughAccepted(yuan: string): Promise<{ outTradeNo: string; outRefundNo: string }> {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, yuan);
    shop.simulator.faults.next('hang-after', CREATE);
    await shop.settleDue();
    shop.simulator.faults.next(
      { status: 404, code: 'RESOURCE_NOT_EXISTS' },
      { route: 'refund-query', times: 2 },
    );
    shop.simulator.faults.next({ status: 400, code: 'INVALID_REQUEST' }, CREATE);
    await shop.settle();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'closed' });
    expect(await openExceptions(shop, outRefundNo)).toEqual(['refund_refused']);
    return { outTradeNo, outRefundNo };
  }

  // Two unsigned answers are not proof: given up for good, the refund would be asked for anew, and paid twice.
  it('is asked about again after it was refused, and found', async () => {
    const { outTradeNo, outRefundNo } = await closedThoughAccepted('29.90');
    await expect(shop.request(outTradeNo, '29.90')).rejects.toMatchObject({ code: 'refund_exceeds_paid' });
    await shop.settle();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'pending' });
    await shop.settleUntilDone(outTradeNo);
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
    expect(await openExceptions(shop, outRefundNo)).toEqual([]);
  });

  it('is free to be asked for anew once it was asked about in vain for the last time', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    const refusal = { status: 403, code: 'USER_ACCOUNT_ABNORMAL', message: '用户账户异常' };
    shop.simulator.faults.next(refusal, CREATE);
    await shop.settle();
    for (let round = 0; round < 3; round += 1) await shop.settle();
    expect((await shop.settlement(outRefundNo))?.due_in_s).toBeNull();
    await shop.request(outTradeNo, '29.90');
    await shop.settleUntilDone(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
  });

  it('is proven by the bill after it was given up', async () => {
    const { outTradeNo, outRefundNo } = await closedThoughAccepted('10.00');
    await shop.database.query('UPDATE refund_settlements SET due_at = NULL WHERE out_refund_no = ?', [
      outRefundNo,
    ]);
    await shop.simulator.advance(2 * DAY_MS);
    await readBills();
    await shop.settle();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
  });

  // One INSERT of anybody would keep the shop from ever refunding the order.
  it('that others claim and nobody knows blocks no refund of its order, and is proven by the bill all the same', async () => {
    const outTradeNo = await shop.paidOrder();
    const outRefundNo = await write(shop, outTradeNo);
    await shop.sweep();
    for (let round = 0; round < 6; round += 1) await shop.settle();
    expect(await shop.settlement(outRefundNo)).toMatchObject({ stage: 'disproven', due_in_s: null });
    const { outRefundNo: ours } = await shop.request(outTradeNo, '9.90');
    shop.simulator.merchantRefunds({ outTradeNo, outRefundNo, refundFen: 2000 });
    shop.simulator.endRefund(outRefundNo, 'SUCCESS');
    await shop.settleUntilDone(outTradeNo).catch(() => undefined);
    await shop.simulator.advance(2 * DAY_MS);
    await readBills();
    await shop.settleUntilDone(outTradeNo);
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success', refund_amount: '20.00' });
    expect(await shop.row(ours)).toMatchObject({ status: 'success' });
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
    expect(await openExceptions(shop, outRefundNo)).toEqual([]);
  });

  // WeChat Pay has accepted it under its signature; that it knows none is said without one.
  it('that others made and WeChat Pay has accepted is followed to its end, also when it is not found for a while', async () => {
    const outTradeNo = await shop.paidOrder();
    const outRefundNo = await write(shop, outTradeNo);
    shop.simulator.merchantRefunds({ outTradeNo, outRefundNo, refundFen: 2990 });
    await shop.sweep();
    for (let round = 0; round < 5; round += 1) await shop.settle();
    shop.simulator.faults.next(
      { status: 404, code: 'RESOURCE_NOT_EXISTS' },
      { route: 'refund-query', times: 3 },
    );
    for (let round = 0; round < 3; round += 1) await shop.settle();
    expect(await shop.settlement(outRefundNo)).toMatchObject({ stage: 'accepted', status: 'pending' });
    shop.simulator.endRefund(outRefundNo, 'SUCCESS');
    await shop.settle();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  });

  // A merchant number that serves another shop as well brings that shop's refunds every day.
  it('of an order that never comes is given up, and shown', async () => {
    const outTradeNo = newOutTradeNo();
    const outRefundNo = `platform-${outTradeNo}`;
    shop.simulator.placeOrder({ outTradeNo, totalFen: 2990, openid: openidOf(outTradeNo) });
    shop.backend.pay(outTradeNo);
    shop.simulator.merchantRefunds({ outTradeNo, outRefundNo, refundFen: 2990 });
    shop.simulator.endRefund(outRefundNo, 'SUCCESS');
    await shop.simulator.advance(2 * DAY_MS);
    await readBills();
    await shop.settle();
    expect(await shop.backend.queryRow(outTradeNo)).toBeDefined(); // its row may only be missing here
    for (let round = 0; round < 10; round += 1) await shop.settle();
    expect((await shop.settlement(outRefundNo))?.due_in_s).toBeNull();
    expect(await openExceptions(shop, outTradeNo)).toEqual(['refund_reported']);
  });

  it('is not raised any more when a callback settled it while the call hung', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.database.query('UPDATE refund_settlements SET unanswered = 19 WHERE out_refund_no = ?', [
      outRefundNo,
    ]);
    shop.simulator.faults.next('hang-after', CREATE);
    const sending = shop.settleDue();
    await eventually(() => expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1));
    await shop.finish();
    const callback = shop.simulator.composeRefundCallback(outRefundNo);
    const url = `${await shop.backend.application.app.getUrl()}/api/payment/refund-callback`;
    await shop.simulator.postCallback(url, callback);
    await shop.backend.drain();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
    await sending;
    expect(await openExceptions(shop, outRefundNo)).toEqual([]);
  });

  it('whose row lies about its order counts for the one whose money went back', async () => {
    const named = await shop.paidOrder();
    const refunded = await shop.paidOrder();
    const outRefundNo = `lie${refunded}`;
    shop.simulator.merchantRefunds({ outTradeNo: refunded, outRefundNo, refundFen: 2000 });
    shop.simulator.endRefund(outRefundNo, 'SUCCESS');
    await write(shop, named, { out_refund_no: outRefundNo, refund_amount: '20.00' });
    await shop.sweep();
    await shop.settle();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success', out_trade_no: refunded });
    await expect(shop.request(refunded, '29.90')).rejects.toMatchObject({ code: 'refund_exceeds_paid' });
    await shop.request(named, '29.90');
  });

  it('whose row somebody moves to another order stays counted where it is', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.database.query(
      "UPDATE refunds SET status = 'closed', out_trade_no = '999999999', refund_amount = '1.00' WHERE out_refund_no = ?",
      [outRefundNo],
    );
    await shop.sweep();
    await expect(shop.request(outTradeNo, '29.90')).rejects.toMatchObject({ code: 'refund_exceeds_paid' });
    await shop.settleUntilDone(outTradeNo);
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success', out_trade_no: outTradeNo });
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  });

  it('is followed to the end of its order by the pass over all refunds', async () => {
    const outTradeNo = await shop.paidOrder();
    await shop.request(outTradeNo, '29.90');
    await shop.settleUntilDone(outTradeNo);
    await shop.database.query("UPDATE payment_orders SET status = 'failed' WHERE out_trade_no = ?", [
      outTradeNo,
    ]);
    await passOverAll();
    await shop.backend.ask(outTradeNo);
    await passOverAll();
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  });

  it('of a part is shown when somebody calls the whole order refunded', async () => {
    const outTradeNo = await shop.paidOrder();
    await shop.request(outTradeNo, '1.00');
    await shop.settleUntilDone(outTradeNo);
    await shop.database.query("UPDATE payment_orders SET status = 'refunded' WHERE out_trade_no = ?", [
      outTradeNo,
    ]);
    await passOverAll();
    expect(await openExceptions(shop, outTradeNo)).toEqual(['refund_conflict']);
  });

  it('that only the order’s row tells of is believed when WeChat Pay says that money went back, and shown otherwise', async () => {
    const [lie, truth] = [await shop.paidOrder(), await shop.paidOrder()];
    shop.simulator.merchantRefunds({ outTradeNo: truth, outRefundNo: `R${truth}`, refundFen: 2990 });
    for (const outTradeNo of [lie, truth]) {
      await shop.database.query("UPDATE payment_orders SET status = 'refunded' WHERE out_trade_no = ?", [
        outTradeNo,
      ]);
    }
    const sweep = shop.backend.application.app.get(RefundedSweepService);
    await sweep.sweepRecent(600, noLease());
    await shop.backend.ask(lie, truth);
    expect((await shop.order(lie)).user?.payment_status).toBe('premium');
    expect(await openExceptions(shop, lie)).toEqual(['refund_conflict']);
    expect((await shop.order(truth)).user?.payment_status).toBe('free');
    expect(await openExceptions(shop, truth)).toEqual(['refund_unseen']);
  });
});

describe('a refund of ours, where nobody can be asked', () => {
  let shop: RefundBackend;
  beforeAll(async () => {
    shop = await RefundBackend.start('function-alone');
  });
  afterAll(() => shop.stop());

  // Believed, a row that others wrote over would end the refund unpaid, or have it paid twice.
  it.each([
    ['success', '29.90'],
    ['closed', '10.00'],
  ])('is sent and followed although others write %s over its row', async (status, amount) => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '20.00');
    await shop.database.query('UPDATE refunds SET status = ?, refund_amount = ? WHERE out_refund_no = ?', [
      status,
      amount,
      outRefundNo,
    ]);
    await shop.sweep();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'pending', refund_amount: '20.00' });
    await expect(shop.request(outTradeNo, '20.00')).rejects.toMatchObject({ code: 'refund_exceeds_paid' });
    await shop.settleUntilDone(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo)).toEqual([{ outRefundNo, fen: 2000, status: 'SUCCESS' }]);
  });
});
