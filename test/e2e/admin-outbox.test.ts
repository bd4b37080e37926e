import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { newOutTradeNo, notifyBody } from '../support/builders.js';
import { keyOf, NoticesBackend } from '../support/notices-backend.js';

const CHANNEL = 'webhook';

let backend: NoticesBackend;
let operator: AdminClient;
let viewer: AdminClient;

beforeAll(async () => {
  backend = await NoticesBackend.start();
  operator = adminClient(
    backend.application,
    await insertToken(backend.database, 'operator', { name: 'olga' }),
  );
  viewer = adminClient(backend.application, await insertToken(backend.database, 'viewer'));
});
afterAll(() => backend.stop());
beforeEach(() => {
  backend.answerTo = () => ({ status: 200 });
});

async function failed(): Promise<{ outTradeNo: string; id: string }> {
  const outTradeNo = await backend.pay();
  await backend.distribute();
  backend.answerTo = () => ({ status: 410 });
  await backend.deliver(CHANNEL);
  return { outTradeNo, id: (await backend.row(outTradeNo, CHANNEL)).id };
}

type Row = { id: string; key: string; channel: string | null };

const listed = async (query: string): Promise<Row[]> =>
  (await viewer.get(`/outbox?${query}`).expect(200)).body.data as Row[];

describe('GET /api/admin/outbox', () => {
  it('lists what is told, how it ended and why, and finds by key, state, channel and topic', async () => {
    const { outTradeNo, id } = await failed();
    const all = await listed(`key=${keyOf(outTradeNo)}`);
    expect(all.map(({ channel }) => channel).sort()).toEqual(['subscribe_message', 'webhook', null].sort());
    const [row] = await listed(`key=${keyOf(outTradeNo, CHANNEL)}`);
    expect(row).toMatchObject({
      id,
      topic: 'payment_succeeded',
      channel: CHANNEL,
      status: 'failed',
      attempts: 1,
      lastError: expect.stringContaining('410'),
      dueAt: null,
      sentAt: null,
      canResend: true,
    });
    const key = `key=${keyOf(outTradeNo)}`;
    expect((await listed(`${key}&status=failed`)).map((found) => found.id)).toEqual([id]);
    expect((await listed(`${key}&channel=webhook`)).map((found) => found.id)).toEqual([id]);
    expect(await listed(`${key}&topic=payment_refunded`)).toEqual([]);
    const fact = await listed(`${key}&status=distributed`);
    expect(fact).toMatchObject([{ channel: null, canResend: false }]);
  });

  it('goes page by page, each row once', async () => {
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await viewer.get(`/outbox?limit=1${cursor && `&cursor=${cursor}`}`).expect(200);
      seen.push(...(body.data as Row[]).map(({ id }) => id));
      cursor = body.nextCursor ?? '';
    } while (cursor);
    const ids = await backend.database.query<{ id: string }>(
      'SELECT id FROM outbox_messages ORDER BY id DESC',
    );
    expect(seen).toEqual(ids.map(({ id }) => String(id)));
  });

  it.each([
    ['status', 'status=gone'],
    ['channel', 'channel=a%20b'],
    ['cursor', 'cursor=abc'],
    ['limit', 'limit=201'],
    ['colour', 'colour=red'],
  ])('names %s in what it refuses', async (field, query) => {
    const { body } = await viewer.get(`/outbox?${query}`).expect(400);
    expect(body.message).toContain(field);
  });
});

describe('POST /api/admin/outbox/:id/resend', () => {
  it('has the notice delivered again, ends its exception, and is audited with the request', async () => {
    const { outTradeNo, id } = await failed();
    const { body: open } = await viewer.get(
      `/exceptions?kind=notice_undeliverable&subject=${keyOf(outTradeNo, CHANNEL)}`,
    );
    expect(open.data).toMatchObject([{ actions: ['resend', 'dismiss'], detail: { outboxMessageId: id } }]);
    const answer = await operator.post(`/outbox/${id}/resend`).expect(200);
    expect(answer.body).toEqual({ success: true, data: { outcome: 'reopened' } });
    const again = await operator.post(`/outbox/${id}/resend`).expect(200);
    expect(again.body.data.outcome).toBe('due_already');
    backend.answerTo = () => ({ status: 200 });
    await backend.deliver(CHANNEL);
    expect((await backend.row(outTradeNo, CHANNEL)).status).toBe('sent');
    expect(backend.noticesAbout(outTradeNo)).toHaveLength(2);
    expect(await backend.exception(outTradeNo, CHANNEL)).toMatchObject({
      status: 'resolved',
      resolved_by: 'admin:olga',
    });
    const audit = await backend.database.query(
      'SELECT actor, action, request_id, source_ip FROM audit_logs WHERE target_id = ?',
      [id],
    );
    expect(audit).toEqual([
      {
        actor: 'admin:olga',
        action: 'notice.resent',
        request_id: answer.headers['x-request-id'],
        source_ip: '127.0.0.1',
      },
    ]);
  });

  it('refuses what nobody knows, facts, what nobody wants, and viewers', async () => {
    const { outTradeNo, id } = await failed();
    await backend.deliver('subscribe_message');
    await operator.post('/outbox/99999999/resend').expect(404);
    await operator.post('/outbox/1x/resend').expect(400);
    await operator.post(`/outbox/${(await backend.row(outTradeNo)).id}/resend`).expect(404);
    const unwanted = await backend.row(outTradeNo, 'subscribe_message');
    const { body } = await operator.post(`/outbox/${unwanted.id}/resend`).expect(409);
    expect(body.error).toBe('notice_not_resendable');
    await viewer.post(`/outbox/${id}/resend`).expect(403);
    expect((await backend.row(outTradeNo, CHANNEL)).status).toBe('failed');
  });
});

describe('GET /api/admin/backlog', () => {
  it('counts what waits, each where it waits', async () => {
    const { body: before } = await viewer.get('/backlog').expect(200);
    await failed();
    await backend.pay();
    await backend.application.post('notify', notifyBody({ outTradeNo: newOutTradeNo() })).expect(200);
    await backend.database.query(
      `INSERT INTO inbox_messages (topic, dedupe_key, out_trade_no, payload, status, outcome, received_at)
       VALUES ('payment_notified', REPEAT('b', 64), '1', '{}', 'quarantined', 'order_unknown', NOW(3))`,
    );
    await backend.database.query(
      `INSERT INTO order_queries (out_trade_no, due_at)
       VALUES ('1', NOW(3) - INTERVAL 90 SECOND), ('2', NOW(3) + INTERVAL 1 HOUR)`,
    );
    await backend.database.query(
      `INSERT INTO refund_settlements (out_refund_no, out_trade_no, origin, status, stage, due_at)
       VALUES ('R1', '1', 'foreign', 'pending', 'sent', NOW(3) - INTERVAL 30 SECOND),
              ('R2', '1', 'foreign', 'abnormal', 'accepted', NOW(3) + INTERVAL 1 HOUR),
              ('R3', '1', 'foreign', 'success', 'accepted', NULL)`,
    );
    const { body } = await viewer.get('/backlog').expect(200);
    const { inbox, spool, outbox, refunds, orderQueries, exceptions } = body.data;
    expect(inbox).toMatchObject({
      pending: before.data.inbox.pending + 1,
      quarantined: before.data.inbox.quarantined + 1,
    });
    expect(spool).toMatchObject({ state: 'open', depth: 0, setAside: 0 });
    const of = (list: { channel: string | null }[], channel: string | null) =>
      list.find((found) => found.channel === channel) as { pending: number; failed: number } | undefined;
    expect(of(outbox, null)?.pending).toBe((of(before.data.outbox, null)?.pending ?? 0) + 1);
    expect(of(outbox, CHANNEL)?.failed).toBe((of(before.data.outbox, CHANNEL)?.failed ?? 0) + 1);
    expect(refunds).toMatchObject({ pending: 1, abnormal: 1, due: 1 });
    expect(refunds.oldestDueSeconds).toBeGreaterThanOrEqual(30);
    expect(orderQueries.due).toBe(1);
    expect(orderQueries.oldestDueSeconds).toBeGreaterThanOrEqual(90);
    const undeliverable = (list: { kind: string; count: number }[]) =>
      list.find(({ kind }) => kind === 'notice_undeliverable')?.count ?? 0;
    expect(undeliverable(exceptions)).toBe(undeliverable(before.data.exceptions) + 1);
  });
});
