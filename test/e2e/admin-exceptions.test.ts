import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import { newOutTradeNo } from '../support/builders.js';
import { auditOf as auditOfTarget, exceptionIdOf, raiseException } from '../support/exceptions.js';
import { RefundBackend } from '../support/refund-backend.js';

let shop: RefundBackend;
let operator: AdminClient;
let viewer: AdminClient;

beforeAll(async () => {
  shop = await RefundBackend.start('wechatpay');
  const { application } = shop.backend;
  operator = adminClient(application, await insertToken(shop.database, 'operator', { name: 'olga' }));
  viewer = adminClient(application, await insertToken(shop.database, 'viewer'));
});
afterAll(() => shop.stop());
beforeEach(() => shop.backend.heal());

const raise = (raised: Parameters<typeof raiseException>[1]) => raiseException(shop.database, raised);
const auditOf = (id: string) => auditOfTarget(shop.database, id);
const shown = async (id: string) => (await viewer.get(`/exceptions/${id}`).expect(200)).body.data;

describe('GET /api/admin/exceptions', () => {
  it('lists the open ones page by page, the newest first, each once, with meaning and actions', async () => {
    const ids: string[] = [];
    for (let n = 0; n < 5; n += 1) ids.push(await raise({ kind: 'order_conflict' }));
    const seen: string[] = [];
    let cursor = '';
    do {
      const { body } = await viewer
        .get(`/exceptions?kind=order_conflict&limit=2${cursor && `&cursor=${cursor}`}`)
        .expect(200);
      seen.push(...body.data.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor ?? '';
    } while (cursor);
    expect(seen).toEqual(ids.reverse());
    const one = await shown(ids[0] ?? '');
    expect(one).toMatchObject({ kind: 'order_conflict', status: 'open', actions: ['dismiss'], endsBy: null });
    expect(one.meaning).toContain('backed up');
  });

  it('finds by kind, state, subject and time', async () => {
    const subject = newOutTradeNo();
    const open = await raise({ kind: 'transaction_mismatch', subject });
    const dismissed = await raise({ kind: 'refund_conflict', subject, status: 'dismissed' });
    const found = async (query: string) =>
      (await viewer.get(`/exceptions?subject=${subject}${query}`).expect(200)).body.data.map(
        ({ id }: { id: string }) => id,
      );
    expect(await found('')).toEqual([open]);
    expect(await found('&status=dismissed')).toEqual([dismissed]);
    expect(await found('&status=resolved')).toEqual([]);
    expect((await found('&status=all')).sort()).toEqual([open, dismissed].sort());
    expect(await found('&kind=payment_held&status=all')).toEqual([]);
    const later = encodeURIComponent(new Date(Date.now() + 3_600_000).toISOString());
    expect(await found(`&from=${later}`)).toEqual([]);
    expect(await found(`&to=${later}`)).toEqual([open]);
  });

  it.each([
    ['kind', 'kind=nonsense'],
    ['status', 'status=closed'],
    ['limit', 'limit=0'],
    ['cursor', 'cursor=abc'],
    ['from', 'from=yesterday'],
    ['colour', 'colour=red'],
  ])('names %s in what it refuses', async (field, query) => {
    const { body } = await viewer.get(`/exceptions?${query}`).expect(400);
    expect(body.message).toContain(field);
  });

  it('does not know every id', async () => {
    await viewer.get('/exceptions/99999999').expect(404);
    await viewer.get('/exceptions/1x').expect(400);
    for (const action of ['dismiss', 'reopen', 'adopt']) {
      await operator.post(`/exceptions/99999999/${action}`, { note: 'x' }).expect(404);
    }
    await operator.post('/exceptions/99999999/grant', { note: 'x', packageType: 'basic' }).expect(404);
  });
});

describe('dismiss and reopen', () => {
  it('put an exception aside and bring it back, each once and audited', async () => {
    const id = await raise({ kind: 'order_conflict' });
    const first = await operator.post(`/exceptions/${id}/dismiss`, { note: '已核对' }).expect(200);
    expect(first.body.data).toMatchObject({
      outcome: 'dismissed',
      exception: { status: 'dismissed', resolvedBy: 'admin:olga', resolution: '已核对', actions: ['reopen'] },
    });
    const again = await operator.post(`/exceptions/${id}/dismiss`, { note: 'x' }).expect(200);
    expect(again.body.data).toMatchObject({
      outcome: 'dismissed_already',
      exception: { resolution: '已核对' },
    });
    const back = await operator.post(`/exceptions/${id}/reopen`, { note: '误操作' }).expect(200);
    expect(back.body.data).toMatchObject({
      outcome: 'reopened',
      exception: { status: 'open', resolvedBy: null, actions: ['dismiss'] },
    });
    await operator.post(`/exceptions/${id}/reopen`, { note: 'x' }).expect(200);
    expect(await auditOf(id)).toEqual([
      { actor: 'admin:olga', action: 'exception.dismissed', reason: '已核对' },
      { actor: 'admin:olga', action: 'exception.reopened', reason: '误操作' },
    ]);
  });

  it('have the effect of one when it is clicked on two replicas at once', async () => {
    const id = await raise({ kind: 'order_conflict' });
    const replica = await shop.backend.startReplica();
    try {
      await replica.whenAvailable();
      const other = adminClient(replica, await insertToken(shop.database, 'operator', { name: 'oleg' }));
      const answers = await Promise.all(
        [operator, other, operator, other].map((one) =>
          one.post(`/exceptions/${id}/dismiss`, { note: 'x' }).expect(200),
        ),
      );
      const outcomes = answers.map(({ body }) => body.data.outcome);
      expect(outcomes.filter((outcome) => outcome === 'dismissed')).toHaveLength(1);
      expect(await auditOf(id)).toHaveLength(1);
    } finally {
      await replica.stop();
    }
  });

  it.each(['settling_failed', 'refund_abnormal', 'refund_not_enough', 'refund_unsettled'])(
    'leave %s, about which work goes on by itself, and say how it ends',
    async (kind) => {
      const id = await raise({ kind });
      const { body } = await operator.post(`/exceptions/${id}/dismiss`, { note: 'x' }).expect(409);
      expect(body).toMatchObject({
        error: 'action_not_possible',
        message: expect.stringContaining('it ends when'),
      });
      expect((await shown(id)).status).toBe('open');
      expect(await auditOf(id)).toEqual([]);
    },
  );

  it('refuse what is resolved', async () => {
    const id = await raise({ kind: 'order_conflict', status: 'resolved' });
    const dismissed = await operator.post(`/exceptions/${id}/dismiss`, { note: 'x' }).expect(409);
    expect(dismissed.body.error).toBe('exception_not_open');
    const reopened = await operator.post(`/exceptions/${id}/reopen`, { note: 'x' }).expect(409);
    expect(reopened.body.error).toBe('exception_resolved');
  });

  it.each([
    ['note', {}],
    ['note', { note: '' }],
    ['note', { note: 'x'.repeat(401) }],
    ['reason', { note: 'x', reason: 'y' }],
  ])('refuse a bad %s and leave everything', async (field, body) => {
    const id = await raise({ kind: 'order_conflict' });
    for (const action of ['dismiss', 'reopen', 'adopt']) {
      const answer = await operator.post(`/exceptions/${id}/${action}`, body).expect(400);
      expect(answer.body.message).toContain(field);
    }
    expect((await shown(id)).status).toBe('open');
  });

  it('of a held payment: the sweep leaves it aside', async () => {
    const outTradeNo = await shop.backend.order({ amount: '12.34', status: 'paid', paid_at: new Date() });
    await shop.backend.sweep();
    const id = await exceptionIdOf(shop.database, 'payment_held', outTradeNo);
    await operator.post(`/exceptions/${id}/dismiss`, { note: '测试单' }).expect(200);
    await shop.backend.sweep();
    expect((await shown(id)).status).toBe('dismissed');
    await operator
      .post(`/exceptions/${id}/grant`, { note: 'x', packageType: 'basic' })
      .expect(409)
      .expect(({ body }) => expect(body.error).toBe('exception_not_open'));
    expect((await shop.order(outTradeNo)).grants).toEqual([]);
  });
});

describe('the roles', () => {
  it('keep viewers from every action', async () => {
    const id = await raise({ kind: 'payment_held' });
    for (const action of ['grant', 'refund', 'adopt', 'dismiss', 'reopen']) {
      await viewer
        .post(`/exceptions/${id}/${action}`, { note: 'x', packageType: 'basic' })
        .set('Idempotency-Key', randomUUID())
        .expect(403);
    }
    expect((await shown(id)).status).toBe('open');
  });
});

describe('without the database', () => {
  it('every route answers 503 and when to come back', async () => {
    const alone = await startApplication(shop.database, { DB_HOST: '127.0.0.1', DB_PORT: '1' });
    try {
      const client = adminClient(alone, await insertToken(shop.database, 'operator'));
      for (const answer of [
        await client.get('/exceptions'),
        await client.post('/exceptions/1/dismiss', { note: 'x' }),
        await client.get('/backlog'),
        await client.get('/outbox'),
        await client.post('/outbox/1/resend'),
      ]) {
        expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      }
    } finally {
      await alone.stop();
    }
  });
});
