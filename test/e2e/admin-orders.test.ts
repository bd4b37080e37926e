import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo } from '../support/builders.js';
import { openidOf, WechatpayBackend } from '../support/wechatpay-backend.js';

const SECOND_MS = 1_000;

let backend: WechatpayBackend;
let viewer: AdminClient;
let operator: AdminClient;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
  viewer = adminClient(backend.application, await insertToken(backend.database, 'viewer'));
  operator = adminClient(
    backend.application,
    await insertToken(backend.database, 'operator', { name: 'olga' }),
  );
});
afterAll(() => backend.stop());
beforeEach(() => backend.heal());

type View = Record<string, unknown> & { outTradeNo: string };
type Entry = { at: string; kind: string; source: string; facts: Record<string, unknown> };

const numbersOf = (body: { data: View[] }) => body.data.map(({ outTradeNo }) => outTradeNo);

describe('GET /api/admin/orders', () => {
  it('shows an order with its money and without its openid', async () => {
    const paidAt = new Date('2026-01-27T08:00:00.000Z');
    const row = await insertOrderRow(backend.database, {
      status: 'paid',
      transaction_id: `4200${newOutTradeNo()}`,
      paid_at: paidAt,
      _openid: 'oSecretSecretSecretSecret',
      created_at: paidAt,
    });
    await backend.database.query(
      "INSERT INTO exceptions (kind, subject, reason) VALUES ('payment_held', ?, 'too little')",
      [row.out_trade_no],
    );
    const { body, text } = await viewer.get(`/orders?outTradeNo=${row.out_trade_no}`).expect(200);
    expect(body).toEqual({
      success: true,
      nextCursor: null,
      data: [
        {
          id: row.id,
          outTradeNo: row.out_trade_no,
          userId: row.user_id,
          generationId: row.generation_id,
          transactionId: row.transaction_id,
          amountFen: 2990,
          amount: '29.90',
          packageType: 'premium',
          tradeType: 'JSAPI',
          status: 'paid',
          paidAt: paidAt.toISOString(),
          createdAt: paidAt.toISOString(),
          remark: null,
          refundReason: null,
          granted: false,
          revoked: false,
          held: 'too little',
          exceptionId: expect.stringMatching(/^\d+$/),
          refundedFen: 0,
        },
      ],
    });
    expect(text).not.toContain('oSecret');
  });

  it('finds by each filter and by several at once, and nothing that does not fit', async () => {
    const userId = `user-${newOutTradeNo()}`;
    const made = (minutes: number, changes: Parameters<typeof insertOrderRow>[1] = {}) =>
      insertOrderRow(backend.database, {
        user_id: userId,
        created_at: new Date(Date.UTC(2025, 0, 1, 0, minutes)),
        ...changes,
      });
    const cheap = await made(1, { amount: '0.01', package_type: 'basic' });
    const failed = await made(2, { status: 'failed' });
    const paid = await made(3, {
      status: 'paid',
      transaction_id: 'tx-of-the-filters',
      paid_at: new Date(Date.UTC(2025, 0, 1, 0, 10)),
    });
    const numbers = [paid, failed, cheap].map(({ out_trade_no }) => out_trade_no);
    const expected: [string, string[]][] = [
      [`userId=${userId}`, numbers],
      [`userId=${userId}&status=failed`, [failed.out_trade_no]],
      [`userId=${userId}&packageType=basic`, [cheap.out_trade_no]],
      [`userId=${userId}&tradeType=NATIVE`, []],
      [`userId=${userId}&amountMin=0.02`, [paid.out_trade_no, failed.out_trade_no]],
      [`userId=${userId}&amountMax=0.01`, [cheap.out_trade_no]],
      [
        `userId=${userId}&createdFrom=2025-01-01T00:02:00Z&createdTo=2025-01-01T00:03:00Z`,
        [failed.out_trade_no],
      ],
      ['paidFrom=2025-01-01T00:10:00Z&paidTo=2025-01-01T00:11:00Z', [paid.out_trade_no]],
      ['paidTo=2025-01-01T00:10:00Z', []],
      ['transactionId=tx-of-the-filters', [paid.out_trade_no]],
      ['transactionId=tx-of-the-filters&status=failed', []],
      [`outTradeNo=${cheap.out_trade_no}&held=true`, []],
      [`userId=${userId}&held=false`, numbers],
      ['createdTo=2025-01-01T00:02:00Z&status=pending', [cheap.out_trade_no]],
    ];
    for (const [query, wanted] of expected) {
      const { body } = await viewer.get(`/orders?${query}`).expect(200);
      expect([query, numbersOf(body)]).toEqual([query, wanted]);
    }
  });

  it('goes on where a page ended, also among orders of one second', async () => {
    const userId = `user-${newOutTradeNo()}`;
    const created = new Date(Date.UTC(2025, 5, 1));
    const rows = [];
    for (let n = 0; n < 5; n += 1)
      rows.push(await insertOrderRow(backend.database, { user_id: userId, created_at: created }));
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await viewer.get(`/orders?userId=${userId}&limit=2${cursor}`).expect(200);
      seen.push(...numbersOf(body));
      cursor = body.nextCursor ? `&cursor=${body.nextCursor}` : '';
    } while (cursor);
    expect([...seen].sort()).toEqual(rows.map((row) => row.out_trade_no).sort());
    expect(new Set(seen).size).toBe(5);
  });

  it.each([
    ['status', 'status=gone'],
    ['packageType', 'packageType=gold'],
    ['tradeType', 'tradeType=CASH'],
    ['outTradeNo', 'outTradeNo=a%20b'],
    ['userId', "userId='"],
    ['createdFrom', 'createdFrom=yesterday'],
    ['paidTo', 'paidTo=2026-02-30T00:00:00Z'],
    ['amountMin', 'amountMin=1.234'],
    ['held', 'held=perhaps'],
    ['limit', 'limit=201'],
    ['cursor', 'cursor=x'],
    ['openid', 'openid=o'],
  ])('refuses a query with a wrong %s, and names it', async (field, query) => {
    const { body } = await viewer.get(`/orders?${query}`).expect(400);
    expect(body).toMatchObject({ success: false, error: 'invalid_request' });
    expect(body.message).toContain(field);
  });

  it('refuses a cursor of a listing with other filters', async () => {
    const userId = `user-${newOutTradeNo()}`;
    for (let n = 0; n < 2; n += 1) await insertOrderRow(backend.database, { user_id: userId });
    const { body } = await viewer.get(`/orders?userId=${userId}&limit=1`).expect(200);
    const refused = await viewer.get(`/orders?limit=1&cursor=${body.nextCursor}`).expect(400);
    expect(refused.body.message).toContain('cursor');
  });
});

describe('GET /api/admin/orders/:outTradeNo', () => {
  it('tells all that happened to an order, in its order and without an openid', async () => {
    const outTradeNo = await backend.order({ created_at: new Date(Date.now() - 60 * SECOND_MS) });
    backend.pay(outTradeNo);
    await backend.database.query(
      "INSERT INTO payment_logs (id, type, out_trade_no, event_type, amount_total, request_data) VALUES (?, 'order_create', ?, 'x', 2990, ?)",
      [`log-${outTradeNo}`, outTradeNo, JSON.stringify({ openid: openidOf(outTradeNo) })],
    );
    await backend.application
      .post('notify', {
        outTradeNo,
        transactionId: backend.simulator.ledger.getOrder(outTradeNo).payment?.transactionId,
        status: 'paid',
        packageType: 'premium',
        openid: openidOf(outTradeNo),
      })
      .expect(200);
    await backend.drain();
    await backend.ask(outTradeNo);
    await operator.patch(`/orders/${outTradeNo}`, { remark: 'seen' }).expect(200);
    await backend.database.query(
      "INSERT INTO exceptions (kind, subject, reason, status, resolved_at, resolved_by) VALUES ('transaction_mismatch', ?, 'about oSecret', 'resolved', NOW(3), 'admin:x')",
      [outTradeNo],
    );
    await backend.database.query(
      "INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, reason) VALUES (?, ?, ?, '1.00', '29.90', 'a text')",
      [`refund-${outTradeNo}`, `R${outTradeNo}`, outTradeNo],
    );
    const { body, text } = await viewer.get(`/orders/${outTradeNo}`).expect(200);
    const { order, timeline, truncated } = body.data as {
      order: View;
      timeline: Entry[];
      truncated: boolean;
    };
    expect(order).toMatchObject({ outTradeNo, status: 'paid', granted: true, remark: 'seen' });
    expect(truncated).toBe(false);
    const kinds = timeline.map(({ kind }) => kind);
    for (const kind of [
      'order.created',
      'order.paid',
      'message.payment_notified',
      'log.order_create',
      'ledger.grant',
      'notice.payment_succeeded',
      'exception.opened',
      'exception.resolved',
      'refund.made',
      'audit.order.remark_changed',
    ]) {
      expect(kinds).toContain(kind);
    }
    expect(timeline.find(({ kind }) => kind === 'ledger.grant')).toMatchObject({
      source: 'system:wechat-query',
      facts: { packageType: 'premium', regenerateDelta: 20, origin: 'payment' },
    });
    const times = timeline.map(({ at }) => Date.parse(at));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(text).not.toContain(openidOf(outTradeNo));
    expect(text).not.toContain('oSecret');
    expect(text).not.toContain('a text');
  });

  it('shows the open question to WeChat Pay', async () => {
    const outTradeNo = await backend.order();
    await backend.discover();
    const { body } = await viewer.get(`/orders/${outTradeNo}`).expect(200);
    const entry = (body.data.timeline as Entry[]).find(({ source }) => source === 'order_queries');
    expect(entry).toMatchObject({ kind: 'question.planned', facts: { asks: 0, lastAnswer: null } });
    expect(entry?.facts.dueAt).toEqual(expect.stringMatching(/Z$/));
  });

  // An order that somebody sends thousands of notices about must not make an answer of megabytes.
  it('is bounded, and says so', async () => {
    const row = await insertOrderRow(backend.database);
    const lines = Array.from({ length: 60 }, (_, n) => [
      `l${n}-${row.out_trade_no}`,
      'order_create',
      row.out_trade_no,
    ]);
    await backend.database.query('INSERT INTO payment_logs (id, type, out_trade_no) VALUES ?', [lines]);
    const { body } = await viewer.get(`/orders/${row.out_trade_no}`).expect(200);
    expect(body.data.truncated).toBe(true);
    expect((body.data.timeline as Entry[]).filter(({ source }) => source === 'payment_logs')).toHaveLength(
      50,
    );
  });

  it('answers 404 for an unknown number, and 400 for what is none', async () => {
    expect((await viewer.get(`/orders/${newOutTradeNo()}`).expect(404)).body.error).toBe('not_found');
    expect((await viewer.get('/orders/a%20b').expect(400)).body.message).toContain('outTradeNo');
  });
});

describe('without the database', () => {
  it('orders are away for a while, and not unknown', async () => {
    const alone = await startApplication(backend.database, { DB_HOST: '127.0.0.1', DB_PORT: '1' });
    try {
      const token = await insertToken(backend.database, 'operator');
      const answer = await adminClient(alone, token).get('/orders').expect(503);
      expect(answer.body.error).toBe('database_unavailable');
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    } finally {
      await alone.stop();
    }
  });
});
