import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { newOutTradeNo } from '../support/builders.js';
import { insertRefund } from '../support/exports.js';
import { expectToMatchOpenApi } from '../support/openapi.js';
import { RefundBackend } from '../support/refund-backend.js';

let shop: RefundBackend;
let operator: AdminClient;
let viewer: AdminClient;

beforeAll(async () => {
  shop = await RefundBackend.start('wechatpay');
  operator = adminClient(
    shop.backend.application,
    await insertToken(shop.database, 'operator', { name: 'olga' }),
  );
  viewer = adminClient(shop.backend.application, await insertToken(shop.database, 'viewer'));
});
afterAll(() => shop.stop());
beforeEach(() => shop.backend.heal());

const request = (body: Record<string, unknown>, key = `key-${Math.random()}`) =>
  operator.post('/refunds', body).set('Idempotency-Key', key);

async function refundsOf(outTradeNo: string): Promise<number> {
  return (await shop.database.query('SELECT id FROM refunds WHERE out_trade_no = ?', [outTradeNo])).length;
}

describe('POST /api/admin/refunds', () => {
  it('promises a refund, answers the same to a repetition, and follows it to its end', async () => {
    const outTradeNo = await shop.paidOrder();
    const body = { outTradeNo, amount: '14.95', reason: '客户改变主意' };
    const first = await request(body, 'half-back').expect(202);
    expect(first.body).toMatchObject({
      success: true,
      data: {
        outTradeNo,
        amountFen: 1495,
        amount: '14.95',
        orderAmountFen: 2990,
        status: 'pending',
        origin: 'operator',
        reason: '客户改变主意',
        requestedBy: 'admin:olga',
      },
    });
    expectToMatchOpenApi(first);
    const { outRefundNo } = first.body.data;
    const again = await request(body, 'half-back').expect(202);
    expect(again.body.data.outRefundNo).toBe(outRefundNo);
    await shop.settleUntilDone(outTradeNo);
    const shown = await viewer.get(`/refunds/${outRefundNo}`).expect(200);
    expect(shown.body.data).toMatchObject({ status: 'success', stage: 'accepted', dueAt: null });
    expect(shown.body.data.refundedAt).toMatch(/Z$/);
    expectToMatchOpenApi(shown);
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    const [line] = await shop.database.query(
      "SELECT actor, request_id, source_ip FROM audit_logs WHERE target_id = ? AND action = 'refund.requested'",
      [outRefundNo],
    );
    expect(line).toMatchObject({ actor: 'admin:olga', source_ip: '127.0.0.1' });
    expect(line?.request_id).toBe(first.headers['x-request-id']);
  });

  it.each([
    ['amount', { amount: 29.9 }],
    ['amount', { amount: '29.905' }],
    ['amount', { amount: '-1.00' }],
    ['amount', { amount: '1e2' }],
    ['reason', { reason: '' }],
    ['reason', { reason: 'x'.repeat(201) }],
    ['outTradeNo', { outTradeNo: '../etc' }],
    ['outRefundNo', { outRefundNo: 'RF1' }],
  ])('refuses a bad %s, naming it, and leaves nothing', async (field, change) => {
    const outTradeNo = await shop.paidOrder();
    const { body } = await request({ outTradeNo, amount: '1.00', reason: 'x', ...change }).expect(400);
    expect(body).toMatchObject({ success: false, error: 'invalid_request' });
    expect(body.message).toContain(field);
    expect(await refundsOf(outTradeNo)).toBe(0);
  });

  it('refuses nothing at all to be refunded', async () => {
    const outTradeNo = await shop.paidOrder();
    const { body } = await request({ outTradeNo, amount: '0.00', reason: 'x' }).expect(400);
    expect(body.message).toContain('amount');
  });

  it.each([[undefined], [''], ['two words'], ['x'.repeat(65)]])(
    'wants an Idempotency-Key, and not %j',
    async (key) => {
      const outTradeNo = await shop.paidOrder();
      const asked = operator.post('/refunds', { outTradeNo, amount: '1.00', reason: 'x' });
      if (key !== undefined) asked.set('Idempotency-Key', key);
      const { body } = await asked.expect(400);
      expect(body.message).toContain('Idempotency-Key');
      expect(await refundsOf(outTradeNo)).toBe(0);
    },
  );

  it('answers 409 to what a rule forbids, in words with the amounts, and 404 to an order that nobody knows', async () => {
    const outTradeNo = await shop.paidOrder();
    const excess = await request({ outTradeNo, amount: '30.00', reason: 'x' }).expect(409);
    expectToMatchOpenApi(excess);
    const { body } = excess;
    expect(body).toMatchObject({ success: false, error: 'refund_exceeds_paid' });
    expect(body.message).toContain('29.90 of 29.90 yuan is left');
    await request({ outTradeNo, amount: '1.00', reason: 'x' }, 'used-twice').expect(202);
    const other = await request({ outTradeNo, amount: '2.00', reason: 'x' }, 'used-twice').expect(409);
    expect(other.body.error).toBe('idempotency_key_used');
    // Whoever only corrects a word must not be told to take a new key: that would pay a second time.
    const reworded = await request({ outTradeNo, amount: '1.00', reason: 'y' }, 'used-twice').expect(409);
    expect(reworded.body.message).toMatch(
      new RegExp(
        `has made the refund RF\\w+ of 1\\.00 yuan of the order ${outTradeNo}; .* differs in reason\\.`,
      ),
    );
    expect(await refundsOf(outTradeNo)).toBe(1);
    await request({ outTradeNo: '170000000000000000', amount: '1.00', reason: 'x' }).expect(404);
  });

  it('is not for viewers', async () => {
    const outTradeNo = await shop.paidOrder();
    const body = { outTradeNo, amount: '1.00', reason: 'x' };
    await viewer.post('/refunds', body).set('Idempotency-Key', 'viewer').expect(403);
    expect(await refundsOf(outTradeNo)).toBe(0);
  });
});

describe('GET /api/admin/refunds', () => {
  it('lists page by page, the newest first, each once, and by filters', async () => {
    const outTradeNo = await shop.paidOrder();
    const numbers: string[] = [];
    for (let part = 0; part < 5; part += 1) {
      numbers.push((await shop.request(outTradeNo, '1.00')).outRefundNo);
    }
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await viewer
        .get(`/refunds?outTradeNo=${outTradeNo}&limit=2${cursor && `&cursor=${cursor}`}`)
        .expect(200);
      seen.push(...body.data.map((refund: { outRefundNo: string }) => refund.outRefundNo));
      cursor = body.nextCursor ?? '';
    } while (cursor);
    expect([...seen].sort()).toEqual([...numbers].sort());
    const pending = await viewer.get(`/refunds?outTradeNo=${outTradeNo}&status=pending&origin=operator`);
    expectToMatchOpenApi(pending);
    expect(pending.body.data).toHaveLength(5);
    expect((await viewer.get(`/refunds?outTradeNo=${outTradeNo}&status=success`)).body.data).toEqual([]);
    expect((await viewer.get(`/refunds?outTradeNo=${outTradeNo}&origin=foreign`)).body.data).toEqual([]);
  });

  // Prevents rows without a time from being left out where they do not fit on the first page.
  it('lists those without a time last', async () => {
    const outTradeNo = newOutTradeNo();
    const times = [null, '2026-01-10', null, null, '2026-01-11', null];
    for (const [at, time] of times.entries()) {
      const created = { id: `${outTradeNo}-${at}`, created_at: time && new Date(time) };
      await insertRefund(shop.database, outTradeNo, { ...created, out_refund_no: `R${outTradeNo}${at}` });
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let pages = 0; cursor !== null && pages < times.length; pages += 1) {
      const { body } = await viewer.get(
        `/refunds?outTradeNo=${outTradeNo}&limit=2${cursor && `&cursor=${cursor}`}`,
      );
      seen.push(...body.data.map((refund: { outRefundNo: string }) => refund.outRefundNo.slice(-1)));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(['4', '1', '5', '3', '2', '0']);
  });

  it.each([
    ['status', 'status=paid'],
    ['limit', 'limit=0'],
    ['limit', 'limit=201'],
    ['cursor', 'cursor=abc'],
    ['from', 'from=yesterday'],
    ['colour', 'colour=red'],
    ['status', 'status=success&status=closed'],
  ])('names %s in what it refuses', async (field, query) => {
    const { body } = await viewer.get(`/refunds?${query}`).expect(400);
    expect(body.message).toContain(field);
  });

  it('does not know every number', async () => {
    await viewer.get('/refunds/RF0').expect(404);
  });
});

describe('an open refund', () => {
  it('is taken up at once when an operator says so, and not after its end', async () => {
    const outTradeNo = await shop.paidOrder();
    const balanceFen = shop.simulator.ledger.balanceFen;
    shop.simulator.merchantWithdraws(balanceFen);
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settleDue();
    shop.simulator.merchantTopsUp(balanceFen);
    await shop.database.query(
      'UPDATE refund_settlements SET asked_at = asked_at - INTERVAL 1 MINUTE WHERE out_refund_no = ?',
      [outRefundNo],
    );
    await viewer.post(`/refunds/${outRefundNo}/retry`).expect(403);
    await operator.post(`/refunds/${outRefundNo}/retry`).expect(200);
    await shop.settleDue();
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    await shop.settleUntilDone(outTradeNo);
    const { body } = await operator.post(`/refunds/${outRefundNo}/retry`).expect(409);
    expect(body.error).toBe('refund_ended');
    await operator.post('/refunds/RF0/retry').expect(404);
  });

  // Prevents an audit row that nobody finds, and a question about a number that WeChat Pay does not know.
  it('is acted on under the number of the table, however it is written in the address', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await operator.post(`/refunds/${outRefundNo.toLowerCase()}/retry`).expect(200);
    await shop.settle();
    shop.simulator.endRefund(outRefundNo, 'ABNORMAL');
    await shop.settle();
    await operator
      .post(`/refunds/${outRefundNo.toLowerCase()}/redirect`, { type: 'MERCHANT_BANK_CARD' })
      .expect(200);
    const rows = await shop.database.query<{ action: string }>(
      "SELECT action FROM audit_logs WHERE target_type = 'refund' AND target_id = ? AND actor = 'admin:olga' ORDER BY id",
      [outRefundNo],
    );
    expect(rows.map(({ action }) => action)).toEqual(['refund.retried', 'refund.redirected']);
  });

  it('that is abnormal goes to another card, whose number is kept nowhere', async () => {
    const outTradeNo = await shop.paidOrder();
    const { outRefundNo } = await shop.request(outTradeNo, '29.90');
    await shop.settle();
    const early = await operator
      .post(`/refunds/${outRefundNo}/redirect`, { type: 'MERCHANT_BANK_CARD' })
      .expect(409);
    expect(early.body.error).toBe('refund_not_abnormal');
    shop.simulator.endRefund(outRefundNo, 'ABNORMAL');
    await shop.settle();
    const card = {
      type: 'USER_BANK_CARD',
      bankType: 'ICBC_DEBIT',
      bankAccount: '6222000011112222333',
      realName: '王小明',
    };
    const bad = await operator
      .post(`/refunds/${outRefundNo}/redirect`, { ...card, bankAccount: 'x' })
      .expect(400);
    expect(bad.body.message).toContain('bankAccount');
    await operator.post(`/refunds/${outRefundNo}/redirect`, { type: 'USER_BANK_CARD' }).expect(400);
    const answered = await operator.post(`/refunds/${outRefundNo}/redirect`, card).expect(200);
    expect(answered.body.data.status).toBe('abnormal');
    await shop.simulator.advance(10 * 60_000);
    await shop.backend.drain();
    await shop.settle();
    expect((await viewer.get(`/refunds/${outRefundNo}`)).body.data.status).toBe('success');
    expect(shop.refundsAtWechat(outTradeNo)).toHaveLength(1);
    expect((await shop.order(outTradeNo)).order?.status).toBe('refunded');
    const kept = JSON.stringify([
      await shop.database.query('SELECT * FROM audit_logs'),
      await shop.database.query('SELECT * FROM refund_settlements'),
      await shop.database.query('SELECT * FROM payment_logs'),
      await shop.database.query('SELECT * FROM error_logs'),
    ]);
    expect(kept).not.toContain(card.bankAccount);
    expect(kept).not.toContain(card.realName);
  });
});
