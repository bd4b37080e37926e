import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PaidSweepService } from '../../../src/payments/paid-sweep.service.js';
import { notifyBody } from '../../support/builders.js';
import { recordPaid } from '../../support/payments.js';
import { RefundBackend } from '../../support/refund-backend.js';
import { noLease } from '../../support/wechatpay-backend.js';

let shop: RefundBackend;

beforeAll(async () => {
  shop = await RefundBackend.start('wechatpay');
});
afterAll(() => shop.stop());
beforeEach(() => shop.backend.heal());

async function refund(outTradeNo: string, ...parts: string[]): Promise<void> {
  for (const yuan of parts) await shop.request(outTradeNo, yuan);
  await shop.settleUntilDone(outTradeNo);
}

async function userOf(outTradeNo: string): Promise<string> {
  return String((await shop.order(outTradeNo)).order?.user_id);
}

describe('a refund that succeeded', () => {
  it('of a part leaves the order paid and the package with the user', async () => {
    const outTradeNo = await shop.paidOrder();
    await refund(outTradeNo, '29.89');
    const { order, grants, user } = await shop.order(outTradeNo);
    expect(order).toMatchObject({ status: 'paid' });
    expect(grants).toHaveLength(1);
    expect(user).toMatchObject({ payment_status: 'premium', regenerate_count: 23 });
  });

  // Floats make 0.07 × 100 into 7.000000000000001: parts then never close their order.
  it.each([
    ['0.07', ['0.01', '0.02', '0.04']],
    ['0.55', ['0.50', '0.05']],
    ['1.10', ['0.55', '0.55']],
    ['2.20', ['0.07', '0.55', '1.10', '0.48']],
    ['29.90', ['10.10', '19.80']],
  ])('in parts that add up to %s closes the order to the fen', async (yuan, parts) => {
    const outTradeNo = await shop.paidOrder({ yuan });
    const all = [...parts];
    const last = all.pop() ?? '';
    await refund(outTradeNo, ...all);
    expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
    await refund(outTradeNo, last);
    const { order, user } = await shop.order(outTradeNo);
    expect(order?.status).toBe('refunded');
    expect(user).toMatchObject({ payment_status: 'free', regenerate_count: 3 });
  });

  it('carries WeChat Pay’s own time', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settleUntilDone(outTradeNo);
    const row = await shop.row(outRefundNo);
    const ended = shop.simulator.ledger
      .getRefund(outRefundNo)
      .history.find(({ status }) => status === 'SUCCESS');
    expect(Math.floor((row?.refunded_at as Date).getTime() / 1000)).toBe(
      Math.floor((ended?.atMs ?? 0) / 1000),
    );
  });

  it('leaves the user the highest package that is still paid for', async () => {
    const premium = await shop.paidOrder();
    const userId = await userOf(premium);
    const basic = await shop.paidOrder({ yuan: '0.01', packageType: 'basic', userId });
    expect((await shop.order(basic)).user).toMatchObject({ payment_status: 'premium', regenerate_count: 28 });
    await refund(premium, '29.90');
    expect((await shop.order(basic)).user).toMatchObject({ payment_status: 'basic', regenerate_count: 8 });
    await refund(basic, '0.01');
    expect((await shop.order(basic)).user).toMatchObject({ payment_status: 'free', regenerate_count: 3 });
  });

  it('of a lower package leaves the higher one', async () => {
    const premium = await shop.paidOrder();
    const basic = await shop.paidOrder({ yuan: '0.01', packageType: 'basic', userId: await userOf(premium) });
    await refund(basic, '0.01');
    expect((await shop.order(premium)).user).toMatchObject({
      payment_status: 'premium',
      regenerate_count: 23,
    });
  });

  // Credits that were used are gone: taking them back would make the count negative, or eat what was always there.
  it('takes back the credits that are left, never more', async () => {
    const outTradeNo = await shop.paidOrder();
    await shop.database.query('UPDATE users SET regenerate_count = 7 WHERE id = ?', [
      await userOf(outTradeNo),
    ]);
    await refund(outTradeNo, '29.90');
    const { grants, user } = await shop.order(outTradeNo);
    expect(user?.regenerate_count).toBe(0);
    expect(grants.at(-1)).toMatchObject({ entry: 'revocation', regenerate_delta: -7 });
  });

  it('is told once to the outbox, without anything personal', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settleUntilDone(outTradeNo);
    const notices = await shop.database.query<{ payload: unknown }>(
      'SELECT payload FROM outbox_messages WHERE message_key = ?',
      [`payment_refunded:${outRefundNo}`],
    );
    expect(notices).toHaveLength(1);
    const [notice] = notices;
    const payload = typeof notice?.payload === 'string' ? JSON.parse(notice.payload) : notice?.payload;
    expect(payload).toEqual({ outTradeNo, outRefundNo, amountFen: 2990, orderAmountFen: 2990 });
  });
});

describe('a refunded order', () => {
  // A late duplicate of the payment's notice makes a function set it back to paid, and notify again.
  it('that a late notice sets back to paid is refunded again, without a new grant', async () => {
    const outTradeNo = await shop.paidOrder();
    await refund(outTradeNo, '29.90');
    await shop.database.query("UPDATE payment_orders SET status = 'paid' WHERE out_trade_no = ?", [
      outTradeNo,
    ]);
    await shop.backend.application.post('notify', notifyBody({ outTradeNo })).expect(200);
    await shop.backend.drain();
    await expectRefundedOnce(outTradeNo);
  });

  it('that is set back to paid without any notice is found by the sweep', async () => {
    const outTradeNo = await shop.paidOrder();
    await refund(outTradeNo, '29.90');
    await shop.database.query("UPDATE payment_orders SET status = 'paid' WHERE out_trade_no = ?", [
      outTradeNo,
    ]);
    await shop.backend.application.app.get(PaidSweepService).sweepRecent(600, noLease());
    await expectRefundedOnce(outTradeNo);
    const [line] = await shop.database.query(
      "SELECT actor FROM audit_logs WHERE target_id = ? AND action = 'order.refund_restored'",
      [outTradeNo],
    );
    expect(line).toMatchObject({ actor: 'system:sweep' });
  });

  it('grants nothing to a notice that was held back until after the refund', async () => {
    const outTradeNo = await shop.paidOrder();
    await refund(outTradeNo, '29.90');
    expect(await recordPaid(shop.backend.application, outTradeNo)).toBe('refunded');
    await expectRefundedOnce(outTradeNo);
  });
});

async function expectRefundedOnce(outTradeNo: string): Promise<void> {
  const { order, grants, user } = await shop.order(outTradeNo);
  expect(order?.status).toBe('refunded');
  expect(grants.map(({ entry }) => entry)).toEqual(['grant', 'revocation']);
  expect(user).toMatchObject({ payment_status: 'free', regenerate_count: 3 });
}
