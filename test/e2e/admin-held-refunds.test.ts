import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AdminClient } from '../support/admin.js';
import { raiseException } from '../support/exceptions.js';
import { HeldPayments, refund } from '../support/held-payments.js';
import type { RefundBackend } from '../support/refund-backend.js';

let payments: HeldPayments;
let shop: RefundBackend;
let olga: AdminClient;
let oleg: AdminClient;

beforeAll(async () => {
  payments = await HeldPayments.start();
  ({ shop, olga, oleg } = payments);
});
afterAll(() => payments.stop());
beforeEach(() => shop.backend.heal());

describe('POST /api/admin/exceptions/:id/refund', () => {
  it('gives all that is left back, the same for the same key, and the exception ends when it is there', async () => {
    const { id, outTradeNo } = await payments.held();
    const first = await refund(olga, id, {}, `all-of-${id}`).expect(202);
    expect(first.body.data).toMatchObject({
      outcome: 'refund_requested',
      exception: { status: 'open' },
      refund: { outTradeNo, amountFen: 1234, requestedBy: 'admin:olga', reason: '金额不符' },
    });
    expect(first.body.data.message).toContain('stays open');
    const again = await refund(oleg, id, {}, `all-of-${id}`).expect(202);
    expect(again.body.data.refund.outRefundNo).toBe(first.body.data.refund.outRefundNo);
    const more = await refund(olga, id).expect(409);
    expect(more.body.error).toBe('refund_exceeds_paid');
    await shop.settleUntilDone(outTradeNo);
    expect(await payments.shown(id)).toMatchObject({ status: 'resolved', actions: [] });
    const late = await refund(oleg, id, {}, `all-of-${id}`).expect(202);
    expect(late.body.data.refund).toMatchObject({
      outRefundNo: first.body.data.refund.outRefundNo,
      status: 'success',
    });
    expect((await refund(olga, id).expect(409)).body.error).toBe('exception_not_open');
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
  });

  it('asked for by two operators at once goes back once', async () => {
    const { id, outTradeNo } = await payments.held();
    const answers = await Promise.all([refund(olga, id), refund(oleg, id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    await shop.settleUntilDone(outTradeNo);
    expect(shop.refundsAtWechat(outTradeNo).map(({ fen }) => fen)).toEqual([1234]);
  });

  it('takes the place of a refund that was closed, whose exception ends with it', async () => {
    const { outTradeNo } = await payments.held();
    const closedNo = `RF-closed-${outTradeNo}`;
    const id = await raiseException(shop.database, {
      kind: 'refund_closed',
      subject: closedNo,
      detail: { outTradeNo },
    });
    expect((await payments.shown(id)).actions).toEqual(['refund', 'dismiss']);
    const { body } = await refund(olga, id, { amount: '1.00' }, `anew-${id}`).expect(202);
    const { outRefundNo } = body.data.refund;
    expect(body.data.exception).toMatchObject({
      status: 'resolved',
      resolution: `refunded anew as ${outRefundNo}`,
    });
    const again = await refund(olga, id, { amount: '1.00' }, `anew-${id}`).expect(202);
    expect(again.body.data.refund.outRefundNo).toBe(outRefundNo);
  });

  it.each([
    ['amount', { amount: '1.005' }],
    ['amount', { amount: '0.00' }],
    ['note', { note: '' }],
    ['outTradeNo', { outTradeNo: '1' }],
  ])('names %s in what it refuses, and leaves everything', async (field, body) => {
    const { id, outTradeNo } = await payments.held();
    const answer = await refund(olga, id, body).expect(400);
    expect(answer.body.message).toContain(field);
    await olga.post(`/exceptions/${id}/refund`, { note: 'x' }).expect(400); // without a key
    expect(await shop.database.query('SELECT id FROM refunds WHERE out_trade_no = ?', [outTradeNo])).toEqual(
      [],
    );
  });

  it('refuses more than was paid, dismissed exceptions and kinds without an order to refund', async () => {
    const { id } = await payments.held();
    expect((await refund(olga, id, { amount: '12.35' }).expect(409)).body.error).toBe('refund_exceeds_paid');
    await olga.post(`/exceptions/${id}/dismiss`, { note: 'x' }).expect(200);
    expect((await refund(olga, id).expect(409)).body.error).toBe('exception_not_open');
    const notice = await raiseException(shop.database, { kind: 'unexpected_notice' });
    const other = await refund(olga, notice).expect(409);
    expect(other.body.error).toBe('action_not_possible');
    await refund(olga, '99999999').expect(404);
  });
});
