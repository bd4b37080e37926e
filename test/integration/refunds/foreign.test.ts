import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RefundedSweepService } from '../../../src/payments/refunded-sweep.service.js';
import { JobLeasesRepository } from '../../../src/platform/jobs/job-leases.repository.js';
import { RefundBackend } from '../../support/refund-backend.js';
import { noLease, openidOf } from '../../support/wechatpay-backend.js';
import { newOutTradeNo } from '../../support/builders.js';

/** A row as somebody else writes it. */
async function write(
  shop: RefundBackend,
  outTradeNo: string,
  row: Record<string, string> = {},
): Promise<string> {
  const outRefundNo = row.out_refund_no ?? `refund_${outTradeNo}`;
  await shop.database.query('INSERT INTO refunds SET ?', [
    {
      id: `refund-${outTradeNo}`,
      out_refund_no: outRefundNo,
      out_trade_no: outTradeNo,
      refund_amount: '29.90',
      total_amount: '29.90',
      status: 'pending',
      ...row,
    },
  ]);
  return outRefundNo;
}

describe('a refund that others made, where WeChat Pay can be asked', () => {
  let shop: RefundBackend;
  beforeAll(async () => {
    shop = await RefundBackend.start('cloud-function');
  });
  afterAll(() => shop.stop());
  beforeEach(() => shop.backend.heal());

  /** Any user of the mini program can ask the function for one: nobody tells the backend. */
  function refundElsewhere(outTradeNo: string, refundFen = 2990): string {
    const outRefundNo = `refund_${outTradeNo}`;
    shop.simulator.merchantRefunds({ outTradeNo, outRefundNo, refundFen });
    shop.simulator.endRefund(outRefundNo, 'SUCCESS');
    return outRefundNo;
  }

  it.each([
    ['in fen', { refund_amount: '2990.00', total_amount: '2990.00' }],
    ['in yuan', { refund_amount: '29.90', total_amount: '29.90' }],
    ['with amounts of nothing', { refund_amount: '0.00', total_amount: '0.00' }],
  ])('is found in the table, its row %s, and takes effect by WeChat Pay’s word', async (_name, amounts) => {
    const outTradeNo = await shop.paidOrder();
    shop.simulator.settings.refundNotifyUrl = null;
    const outRefundNo = refundElsewhere(outTradeNo);
    await write(shop, outTradeNo, amounts);
    await shop.sweep();
    await shop.settleDue();
    expect(await shop.row(outRefundNo)).toMatchObject({
      status: 'success',
      refund_amount: '29.90',
      total_amount: '29.90',
    });
    const { order, user } = await shop.order(outTradeNo);
    expect(order?.status).toBe('refunded');
    expect(user?.payment_status).toBe('free');
  });

  // A row is one INSERT of anybody with the database's password: it gives nothing back that WeChat Pay did not.
  it('that WeChat Pay does not know has no effect, is never sent, and is shown to an operator', async () => {
    const outTradeNo = await shop.paidOrder();
    const outRefundNo = await write(shop, outTradeNo, { status: 'success' });
    await shop.sweep();
    for (let round = 0; round < 6; round += 1) await shop.settle();
    expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([
      { kind: 'refund_unproven', status: 'open' },
    ]);
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
    expect(shop.refundsAtWechat(outTradeNo)).toEqual([]);
    expect((await shop.settlement(outRefundNo))?.due_in_s).toBeNull();
    await shop.database.query(
      'UPDATE refunds SET updated_at = updated_at - INTERVAL 5 SECOND WHERE out_refund_no = ?',
      [outRefundNo],
    );
    await shop.sweep();
    expect((await shop.settlement(outRefundNo))?.due_in_s).toBeNull(); // nobody is asked for ever
  });

  it('that only a notice tells of is recorded, and takes effect', async () => {
    const outTradeNo = await shop.paidOrder();
    shop.simulator.settings.refundNotifyUrl = `${await shop.backend.application.app.getUrl()}/api/payment/refund-callback`;
    const outRefundNo = refundElsewhere(outTradeNo);
    await shop.simulator.settle();
    await shop.backend.drain();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success', refund_amount: '29.90' });
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
    expect(await shop.settlement(outRefundNo)).toMatchObject({ origin: 'foreign' });
  });

  it('of an order that nobody knows waits for the order, which WeChat Pay tells of', async () => {
    const outTradeNo = newOutTradeNo();
    shop.simulator.settings.refundNotifyUrl = `${await shop.backend.application.app.getUrl()}/api/payment/refund-callback`;
    shop.simulator.placeOrder({ outTradeNo, totalFen: 2990, openid: openidOf(outTradeNo) });
    shop.backend.pay(outTradeNo);
    const outRefundNo = refundElsewhere(outTradeNo);
    await shop.simulator.settle();
    await shop.backend.drain();
    expect(await shop.row(outRefundNo)).toBeUndefined();
    await shop.backend.ask(outTradeNo);
    await shop.database.query(
      "UPDATE inbox_messages SET available_at = NOW(3) WHERE out_trade_no = ? AND status = 'pending'",
      [outTradeNo],
    );
    await shop.backend.drain();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
    const { order, grants, exceptions } = await shop.order(outTradeNo);
    expect(order?.status).toBe('refunded');
    expect(grants.map(({ entry }) => entry)).toEqual(['revocation']);
    expect(exceptions.filter(({ status }) => status === 'open')).toEqual([]);
  });

  // What is settled was proven: whoever writes over it does not change what happened.
  it('that is settled stays so when its row is written over', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settleUntilDone(outTradeNo);
    await shop.database.query(
      "UPDATE refunds SET status = 'pending', refund_amount = '2990.00', total_amount = '2990.00' WHERE out_refund_no = ?",
      [outRefundNo],
    );
    await shop.sweep();
    expect(await shop.row(outRefundNo)).toMatchObject({
      status: 'success',
      refund_amount: '29.90',
      total_amount: '29.90',
    });
  });

  it('of a part, seen by WeChat Pay’s word on the order alone, is shown to an operator', async () => {
    const outTradeNo = await shop.backend.order();
    shop.backend.pay(outTradeNo);
    shop.simulator.settings.refundNotifyUrl = null;
    refundElsewhere(outTradeNo, 100);
    await shop.backend.discover();
    await shop.backend.ask(outTradeNo);
    expect((await shop.order(outTradeNo)).exceptions.map(({ kind }) => kind).sort()).toEqual([
      'payment_held',
      'refund_unseen',
    ]);
  });
});

describe('a refund that others wrote, where nobody can be asked', () => {
  let shop: RefundBackend;
  beforeAll(async () => {
    shop = await RefundBackend.start('function-alone');
  });
  afterAll(() => shop.stop());

  it.each([
    ['fen', { refund_amount: '2990.00', total_amount: '2990.00' }],
    ['yuan', { refund_amount: '29.90', total_amount: '29.90' }],
  ])('takes effect by its row, which says %s', async (_unit, amounts) => {
    const outTradeNo = await shop.paidOrder();
    const outRefundNo = await write(shop, outTradeNo, { ...amounts, status: 'success' });
    await shop.sweep();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success', refund_amount: '29.90' });
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  });

  it('waits while its row is pending, and takes effect when it is updated', async () => {
    const outTradeNo = await shop.paidOrder();
    const outRefundNo = await write(shop, outTradeNo);
    await shop.sweep();
    await shop.sweep();
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
    await shop.database.query("UPDATE refunds SET status = 'success' WHERE out_refund_no = ?", [outRefundNo]);
    await shop.sweep();
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  });

  it('adds up in parts, in either unit', async () => {
    const outTradeNo = await shop.paidOrder({ yuan: '2.20' });
    await write(shop, outTradeNo, {
      id: 'p1',
      out_refund_no: `p1${outTradeNo}`,
      refund_amount: '110.00',
      total_amount: '220.00',
      status: 'success',
    });
    await shop.sweep();
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
    await write(shop, outTradeNo, {
      id: 'p2',
      out_refund_no: `p2${outTradeNo}`,
      refund_amount: '1.10',
      total_amount: '2.20',
      status: 'success',
    });
    await shop.sweep();
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
  });

  // The function's row in refunds is refused by the table, its order is not: the user would keep what was paid back.
  it('in the order alone takes effect by it, and an operator learns that no refund is known', async () => {
    const outTradeNo = await shop.paidOrder();
    await shop.database.query("UPDATE payment_orders SET status = 'refunded' WHERE out_trade_no = ?", [
      outTradeNo,
    ]);
    const sweep = shop.backend.application.app.get(RefundedSweepService);
    await sweep.sweepRecent(600, noLease());
    await sweep.sweepRecent(600, noLease());
    const { grants, user, exceptions } = await shop.order(outTradeNo);
    expect(grants.map(({ entry }) => entry)).toEqual(['grant', 'revocation']);
    expect(user).toMatchObject({ payment_status: 'free', regenerate_count: 3 });
    expect(exceptions).toMatchObject([{ kind: 'refund_unseen', status: 'open' }]);
  });

  // A row that was changed while no process ran lies outside every window.
  it('in an order of long ago is found by the pass over the table, which leaves the others alone', async () => {
    const outTradeNo = await shop.paidOrder();
    const paid = await shop.paidOrder();
    await shop.database.query(
      "UPDATE payment_orders SET status = 'refunded', updated_at = '2026-03-01 00:00:00' WHERE out_trade_no = ?",
      [outTradeNo],
    );
    const { app } = shop.backend.application;
    const entriesOf = async (number: string) => (await shop.order(number)).grants.map(({ entry }) => entry);
    await app.get(RefundedSweepService).sweepRecent(600, noLease());
    expect(await entriesOf(outTradeNo)).toEqual(['grant']);
    const lease = await app.get(JobLeasesRepository).claim('refunded-sweep-full', 'test', 10_000);
    await app.get(RefundedSweepService).sweepNextStep({ ...noLease(), lease });
    expect(await entriesOf(outTradeNo)).toEqual(['grant', 'revocation']);
    expect(await entriesOf(paid)).toEqual(['grant']);
  });

  it('has no effect when its unit cannot be told, and is shown to an operator', async () => {
    const outTradeNo = await shop.paidOrder();
    const outRefundNo = await write(shop, outTradeNo, {
      refund_amount: '5.00',
      total_amount: '5.00',
      status: 'success',
    });
    await shop.sweep();
    expect(await shop.exceptionsAbout(outRefundNo)).toMatchObject([
      { kind: 'refund_unclear', status: 'open' },
    ]);
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
  });
});
