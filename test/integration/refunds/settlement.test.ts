import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { REFUND_WAYS, RefundBackend } from '../../support/refund-backend.js';

describe.each(REFUND_WAYS)('a refund by way of %s', (way) => {
  let shop: RefundBackend;
  beforeAll(async () => {
    shop = await RefundBackend.start(way);
  });
  afterAll(() => shop.stop());
  beforeEach(async () => {
    shop.standIn.heal();
    if (way === 'function-alone') shop.simulator.faults.clear();
    else await shop.backend.heal();
  });

  // The job runs twice a second in each of its lanes: with nothing to do, it opened eight transactions a second.
  it('is looked for without a transaction', async () => {
    const run = vi.spyOn(shop.backend.application.app.get(UnitOfWork), 'run');
    await shop.settleDue();
    expect(run).not.toHaveBeenCalled();
    run.mockRestore();
  });

  it('is sent once, followed to its end, and takes back what the order gave', async () => {
    const outTradeNo = await shop.paidOrder();
    expect((await shop.order(outTradeNo)).user).toMatchObject({
      payment_status: 'premium',
      regenerate_count: 23,
    });
    const { outRefundNo } = await shop.request(outTradeNo, '29.90', { reason: 'not as shown' });
    await shop.settleDue();
    expect(await shop.view(outRefundNo)).toMatchObject({ status: 'pending' });
    await shop.settleUntilDone(outTradeNo);
    const [atWechat] = shop.refundsAtWechat(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    expect(atWechat).toEqual({ outRefundNo, fen: 2990, status: 'SUCCESS' });
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success', refund_amount: '29.90' });
    expect((await shop.row(outRefundNo))?.refund_id).toBe(
      shop.simulator.ledger.getRefund(outRefundNo).refundId,
    );
    const { order, grants, user } = await shop.order(outTradeNo);
    expect(order).toMatchObject({ status: 'refunded', refund_reason: 'not as shown' });
    expect(grants.map(({ entry, regenerate_delta }) => [entry, regenerate_delta])).toEqual([
      ['grant', 20],
      ['revocation', -20],
    ]);
    expect(user).toMatchObject({ payment_status: 'free', regenerate_count: 3 });
    expect((await shop.settlement(outRefundNo))?.due_in_s).toBeNull();
  });

  // The bank's answer takes days: money that is on its way must not be sent again meanwhile.
  it('is asked about, and never paid again, while it is under way', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '5.00');
    for (let round = 0; round < 4; round += 1) await shop.settle();
    expect(shop.refundsAtWechat(outTradeNo)).toEqual([{ outRefundNo, fen: 500, status: 'PROCESSING' }]);
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'pending' });
    await shop.settleUntilDone(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
  });

  it('that WeChat Pay closed has moved no money, is told to an operator, and may be asked for anew', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settle();
    shop.simulator.endRefund(outRefundNo, 'CLOSED');
    await shop.settleUntilDone(outTradeNo);
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'closed', refunded_at: null });
    expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([
      { kind: 'refund_closed', status: 'open' },
    ]);
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
    const again = await shop.request(outTradeNo, '29.90');
    await shop.settleUntilDone(outTradeNo);
    expect(again.outRefundNo).not.toBe(outRefundNo);
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  });

  // Refunding again under a new number would pay twice: the first money has left the merchant.
  it('that is abnormal stays visible and is never made again; its end is followed', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settle();
    shop.simulator.endRefund(outRefundNo, 'ABNORMAL');
    await shop.settle();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'abnormal' });
    expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([
      { kind: 'refund_abnormal', status: 'open' },
    ]);
    await expect(shop.request(outTradeNo, '0.01')).rejects.toMatchObject({ code: 'refund_exceeds_paid' });
    for (let round = 0; round < 3; round += 1) await shop.settle();
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    shop.simulator.endRefund(outRefundNo, 'SUCCESS');
    await shop.settle();
    if (way !== 'function-alone') {
      // Without credentials an operator learns of it on the merchant platform: the function answers an abnormal one no more.
      expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
      expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([{ status: 'resolved' }]);
      expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
    }
  });

  // WeChat Pay refuses two refunds of one order within a minute.
  it('waits for its turn behind another one of the same order', async () => {
    const outTradeNo = await shop.paidOrder();
    const first = await shop.request(outTradeNo, '1.00');
    const second = await shop.request(outTradeNo, '2.00');
    await shop.settleDue();
    const rows = [await shop.settlement(first.outRefundNo), await shop.settlement(second.outRefundNo)];
    const waiting = rows.find((row) => row?.stage === 'requested');
    expect(rows.filter((row) => row?.stage === 'requested')).toHaveLength(1);
    expect(waiting).toMatchObject({ sends: 0, last_answer: 'waits_for_its_turn' });
    expect(waiting?.due_in_s).toBeGreaterThan(50);
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    await shop.settleUntilDone(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(2);
  });

  it('that the balance does not cover is tried again under its number, and alarms', async () => {
    const outTradeNo = await shop.paidOrder();
    const balanceFen = shop.simulator.ledger.balanceFen;
    shop.simulator.merchantWithdraws(balanceFen);
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settle();
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(0);
    if (way === 'wechatpay') {
      expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([
        { kind: 'refund_not_enough', status: 'open' },
      ]);
      expect((await shop.settlement(outRefundNo))?.due_in_s).toBeGreaterThan(300);
    }
    shop.simulator.merchantTopsUp(balanceFen);
    await shop.settleUntilDone(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo)).toEqual([{ outRefundNo, fen: 2990, status: 'SUCCESS' }]);
    expect((await shop.exceptionsAbout(outRefundNo)).filter(({ status }) => status === 'open')).toEqual([]);
  });
});
