import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../../../src/shared/domain-error.js';
import { startApplication } from '../../support/application.js';
import { insertOrderRow, newOutTradeNo } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import { RefundBackend } from '../../support/refund-backend.js';
import { openidOf } from '../../support/wechatpay-backend.js';

const DAY_MS = 86_400_000;
const REFUND_SENT = '/v3/refund/domestic/refunds';

let shop: RefundBackend;

beforeAll(async () => {
  shop = await RefundBackend.start('wechatpay');
});
afterAll(() => shop.stop());
beforeEach(() => shop.backend.heal());

async function refusalOf(call: Promise<unknown>): Promise<DomainError> {
  const error = await call.then(
    () => new Error('it should have been refused'),
    (refusal: unknown) => refusal,
  );
  if (error instanceof DomainError) return error;
  throw error;
}

async function countOf(outTradeNo: string): Promise<number> {
  return (await shop.database.query('SELECT id FROM refunds WHERE out_trade_no = ?', [outTradeNo])).length;
}

const sentTo = () =>
  shop.simulator.requests.filter(({ method, url }) => method === 'POST' && url === REFUND_SENT);

describe('requestRefund', () => {
  // A refund that is called before it is stored is paid again after a crash, under another number.
  it('is durable, in the table and in the audit log, before anything is sent', async () => {
    const outTradeNo = await shop.paidOrder();
    const before = sentTo().length;
    const view = await shop.request(outTradeNo, '10.00', { reason: 'too small' });
    expect(view).toMatchObject({
      outTradeNo,
      amountFen: 1000,
      orderAmountFen: 2990,
      status: 'pending',
      stage: 'requested',
      origin: 'operator',
      channel: 'wechatpay',
      reason: 'too small',
      requestedBy: 'admin:test',
    });
    expect(sentTo().length).toBe(before);
    expect(await shop.row(view.outRefundNo)).toMatchObject({
      status: 'pending',
      refund_amount: '10.00',
      total_amount: '29.90',
      out_trade_no: outTradeNo,
      reason: 'too small',
    });
    const [line] = await shop.database.query('SELECT * FROM audit_logs WHERE target_id = ?', [
      view.outRefundNo,
    ]);
    expect(line).toMatchObject({ actor: 'admin:test', action: 'refund.requested', reason: 'too small' });
  });

  it('is the same refund for the same key and content, and refuses the key for any other', async () => {
    const outTradeNo = await shop.paidOrder();
    const other = await shop.paidOrder();
    const first = await shop.request(outTradeNo, '10.00', { key: 'key-1' });
    const again = await shop.request(outTradeNo, '10.00', { key: 'key-1' });
    expect(again.outRefundNo).toBe(first.outRefundNo);
    const refusals = await Promise.all([
      refusalOf(shop.request(outTradeNo, '10.01', { key: 'key-1' })),
      refusalOf(shop.request(outTradeNo, '10.00', { key: 'key-1', reason: 'another one' })),
      refusalOf(shop.request(other, '10.00', { key: 'key-1' })),
    ]);
    expect(refusals.map(({ code, kind }) => [code, kind])).toEqual(
      Array.from({ length: 3 }, () => ['idempotency_key_used', 'conflict']),
    );
    expect([await countOf(outTradeNo), await countOf(other)]).toEqual([1, 0]);
  });

  // Concurrent refunds that each see the whole amount still there pay back more than was paid.
  it('never promises more than was paid, however many ask at once on two replicas', async () => {
    const outTradeNo = await shop.paidOrder();
    const replica = await shop.backend.startReplica({ REFUND_CHANNEL: 'wechatpay' });
    await replica.whenAvailable();
    try {
      const results = await Promise.allSettled(
        Array.from({ length: 50 }, (_, index) =>
          shop.request(outTradeNo, '1.00', { on: index % 2 ? replica : shop.backend.application }),
        ),
      );
      const refused = results.filter((result) => result.status === 'rejected');
      expect(refused.map(({ reason }) => (reason as DomainError).code)).toEqual(
        Array.from({ length: 21 }, () => 'refund_exceeds_paid'),
      );
      const [sum] = await shop.database.query<{ yuan: string }>(
        'SELECT SUM(refund_amount) AS yuan FROM refunds WHERE out_trade_no = ?',
        [outTradeNo],
      );
      expect(sum?.yuan).toBe('29.00');
      await Promise.all([shop.settleDue(), shop.settleDue(replica)]);
      await shop.settleUntilDone(outTradeNo);
      const atWechat = shop.refundsAtWechat(outTradeNo);
      expect(atWechat).toHaveLength(29);
      expect(new Set(atWechat.map(({ status }) => status))).toEqual(new Set(['SUCCESS']));
      expect(atWechat.reduce((total, { fen }) => total + fen, 0)).toBe(2900);
      expect((await shop.order(outTradeNo)).order?.status).toBe('paid');
    } finally {
      await replica.stop();
    }
  });

  it('makes one refund of one key that arrives fifty times at once on two replicas', async () => {
    const outTradeNo = await shop.paidOrder();
    const replica = await shop.backend.startReplica({ REFUND_CHANNEL: 'wechatpay' });
    await replica.whenAvailable();
    try {
      const views = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          shop.request(outTradeNo, '29.90', {
            key: 'one-key-often',
            on: index % 2 ? replica : shop.backend.application,
          }),
        ),
      );
      expect(new Set(views.map(({ outRefundNo }) => outRefundNo)).size).toBe(1);
      await Promise.all([shop.settleDue(), shop.settleDue(replica)]);
      await shop.settleUntilDone(outTradeNo);
      expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    } finally {
      await replica.stop();
    }
  });

  it.each([
    ['not paid', { status: 'pending' }, 'order_not_paid'],
    ['failed', { status: 'failed' }, 'order_not_paid'],
    ['refunded already', { status: 'refunded' }, 'order_refunded'],
    ['paid more than a year ago', { paid_at: new Date(Date.now() - 366 * DAY_MS) }, 'refund_too_late'],
  ])('refuses an order that is %s, and leaves nothing', async (_name, change, code) => {
    const outTradeNo = await shop.paidOrder();
    await shop.database.query('UPDATE payment_orders SET ? WHERE out_trade_no = ?', [change, outTradeNo]);
    expect(await refusalOf(shop.request(outTradeNo, '1.00'))).toMatchObject({ code, kind: 'conflict' });
    expect(await countOf(outTradeNo)).toBe(0);
  });

  // The table calls it paid by another order's transaction: that customer's money would go back.
  it.each(['NOTPAY', 'CLOSED'] as const)('refuses an order that is %s at WeChat Pay', async (state) => {
    const { out_trade_no: outTradeNo } = await insertOrderRow(shop.database, {
      status: 'paid',
      transaction_id: shop.backend.transactionOf(await shop.paidOrder()),
    });
    shop.simulator.placeOrder({ outTradeNo, totalFen: 2990, openid: openidOf(outTradeNo) });
    shop.simulator.ledger.getOrder(outTradeNo).state = state;
    expect(await refusalOf(shop.request(outTradeNo, '29.90'))).toMatchObject({ code: 'order_not_paid' });
    expect(await countOf(outTradeNo)).toBe(0);
  });

  // "No such order" is said without a signature, and by a merchant number that was changed since.
  it('goes by the table where WeChat Pay knows no such order', async () => {
    const { out_trade_no: outTradeNo } = await insertOrderRow(shop.database, { status: 'paid' });
    expect(await shop.request(outTradeNo, '29.90')).toMatchObject({ status: 'pending' });
  });

  it('refuses nothing, more than is left, and an order that nobody knows', async () => {
    const outTradeNo = await shop.paidOrder();
    await shop.request(outTradeNo, '29.00');
    expect(await refusalOf(shop.request(outTradeNo, '0.91'))).toMatchObject({ code: 'refund_exceeds_paid' });
    expect(await refusalOf(shop.request(outTradeNo, '0.00'))).toMatchObject({ kind: 'invalid' });
    expect(await refusalOf(shop.request(newOutTradeNo(), '1.00'))).toMatchObject({ kind: 'not_found' });
    expect(await countOf(outTradeNo)).toBe(1);
  });

  it('refuses a fifty-first part', async () => {
    const outTradeNo = await shop.paidOrder();
    for (let part = 0; part < 50; part += 1) await shop.request(outTradeNo, '0.01');
    expect(await refusalOf(shop.request(outTradeNo, '0.01'))).toMatchObject({
      code: 'refund_parts_exceeded',
    });
  });

  // A row of the function in fen would make 10 yuan look like 1,000; one whose unit cannot be told might be all of it.
  it('counts a refund that others wrote by its unit, and as the whole order while that is unclear', async () => {
    const outTradeNo = await shop.paidOrder();
    await shop.database.query('INSERT INTO refunds SET ?', [
      foreignRow(outTradeNo, { refund_amount: '2000.00', total_amount: '2990.00' }),
    ]);
    expect(await refusalOf(shop.request(outTradeNo, '9.91'))).toMatchObject({ code: 'refund_exceeds_paid' });
    await shop.request(outTradeNo, '9.90');
    const unclear = await shop.paidOrder();
    await shop.database.query('INSERT INTO refunds SET ?', [
      foreignRow(unclear, { refund_amount: '1.00', total_amount: '1.00' }),
    ]);
    expect(await refusalOf(shop.request(unclear, '0.01'))).toMatchObject({ code: 'refund_exceeds_paid' });
  });

  // Clients choose the amount of an order: its row may say 29.90 where 0.01 was paid, and that much can be given back.
  it('goes by what WeChat Pay was paid where the row says another amount', async () => {
    const outTradeNo = await shop.paidOrder();
    await shop.database.query("UPDATE payment_orders SET amount = '99.00' WHERE out_trade_no = ?", [
      outTradeNo,
    ]);
    expect(await refusalOf(shop.request(outTradeNo, '29.91'))).toMatchObject({ code: 'refund_exceeds_paid' });
    const view = await shop.request(outTradeNo, '29.90');
    await shop.settleUntilDone(outTradeNo);
    expect(await shop.view(view.outRefundNo)).toMatchObject({ status: 'success', orderAmountFen: 2990 });
  });

  it('says what is missing where no way to refund is configured', async () => {
    const database = await createTestDatabase();
    const application = await startApplication(database, { ROLE: 'api' });
    await application.whenAvailable();
    try {
      const refusal = await refusalOf(shop.request(newOutTradeNo(), '1.00', { on: application }));
      expect(refusal).toMatchObject({ code: 'refunds_not_configured', kind: 'unavailable' });
      expect(refusal.message).toContain('CLOUD_FUNCTION_URL');
    } finally {
      await application.stop();
      await database.drop();
    }
  });
});

function foreignRow(outTradeNo: string, amounts: { refund_amount: string; total_amount: string }) {
  return {
    id: `refund-f-${outTradeNo}`,
    out_refund_no: `f${outTradeNo}`,
    out_trade_no: outTradeNo,
    ...amounts,
  };
}
