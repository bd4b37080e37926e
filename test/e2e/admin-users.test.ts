import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo } from '../support/builders.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';

let database: TestDatabase;
let backend: TestApplication;
let viewer: AdminClient;
let operator: AdminClient;

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database, { ROLE: 'api' });
  await backend.whenAvailable();
  viewer = adminClient(backend, await insertToken(database, 'viewer'));
  operator = adminClient(backend, await insertToken(database, 'operator', { name: 'olga' }));
});
afterAll(async () => {
  await backend.stop();
  await database.drop();
});

const LOGIN = new Date('2026-01-02T03:04:05.000Z');

async function insertUser(changes: Record<string, unknown> = {}): Promise<string> {
  const id = `user-${newOutTradeNo()}`;
  await database.query('INSERT INTO users SET ?', [
    { id, nickname: 'Anna', last_login_at: LOGIN, created_at: LOGIN, ...changes },
  ]);
  return id;
}

async function rowOf(id: string): Promise<Record<string, unknown> | undefined> {
  return (await database.query('SELECT * FROM users WHERE id = ?', [id]))[0];
}

const auditOf = (id: string) =>
  database.query<{ action: string; actor: string; before_data: unknown; after_data: unknown }>(
    'SELECT action, actor, before_data, after_data FROM audit_logs WHERE target_id = ? ORDER BY id',
    [id],
  );

/** MySQL gives JSON columns parsed, MariaDB as text. */
const parsed = (data: unknown): unknown => (typeof data === 'string' ? JSON.parse(data) : data);

describe('GET /api/admin/users/:id', () => {
  it('shows a user with openid and phone number masked', async () => {
    const openid = `oABC${newOutTradeNo()}x456`;
    const id = await insertUser({ openid, phone: '13812341234', avatar_url: 'https://e.com/a.png' });
    const { body, text } = await viewer.get(`/users/${id}`).expect(200);
    expect(body).toEqual({
      success: true,
      data: {
        id,
        openid: 'oABC…x456',
        phone: '138****1234',
        nickname: 'Anna',
        avatarUrl: 'https://e.com/a.png',
        paymentStatus: 'free',
        regenerateCount: 3,
        createdAt: LOGIN.toISOString(),
        lastLoginAt: LOGIN.toISOString(),
      },
    });
    expect(text).not.toContain(openid);
    expect(text).not.toContain('13812341234');
  });

  it('answers 404 for nobody, and 400 for what is no id', async () => {
    expect((await viewer.get('/users/user-0').expect(404)).body.error).toBe('not_found');
    expect((await viewer.get(`/users/${'x'.repeat(37)}`).expect(400)).body.message).toContain('id');
  });
});

describe('POST /api/admin/users/search', () => {
  // Two customers whose openids differ by case only are two people.
  it('finds by exactly this openid, also by case', async () => {
    const openid = `oAbC${newOutTradeNo()}`;
    const id = await insertUser({ openid });
    const found = await viewer.post('/users/search', { openid }).expect(200);
    expect(found.body.data.users).toMatchObject([{ id }]);
    expect(found.text).not.toContain(openid);
    const other = await viewer.post('/users/search', { openid: openid.toLowerCase() }).expect(200);
    expect(other.body.data.users).toEqual([]);
  });

  it('finds all users with a phone number, with or without its country', async () => {
    const phone = `139${newOutTradeNo().slice(-8)}`;
    const ids = [await insertUser({ phone }), await insertUser({ phone: `+86${phone}` })];
    for (const spelling of [phone, `+86${phone}`]) {
      const { body } = await viewer.post('/users/search', { phone: spelling }).expect(200);
      const found = body.data.users as { id: string; phone: string }[];
      expect(found.map((user) => user.id).sort()).toEqual(ids);
      expect(JSON.stringify(found)).not.toContain(phone);
    }
  });

  it.each<[string, Record<string, unknown>]>([
    ['openid', {}],
    ['phone', { openid: 'oabc', phone: '13812345678' }],
    ['phone', { phone: '123' }],
    ['openid', { openid: 'a b' }],
    ['openid', { openid: null }],
    ['nickname', { nickname: 'Anna' }],
  ])('refuses a wrong %s, and names it', async (field, sent) => {
    const { body } = await viewer.post('/users/search', sent).expect(400);
    expect(body.message).toContain(field);
  });

  // An address ends up in logs and histories.
  it('reads nothing from the address', async () => {
    await viewer.post('/users/search?openid=oabc', {}).expect(400);
  });
});

describe('GET /api/admin/users/:id/orders', () => {
  it('lists the orders of the user, page by page', async () => {
    const id = await insertUser();
    const made = (minute: number) =>
      insertOrderRow(database, { user_id: id, created_at: new Date(Date.UTC(2025, 1, 1, 0, minute)) });
    const rows = [await made(1), await made(2), await made(3)];
    await insertOrderRow(database);
    const first = await viewer.get(`/users/${id}/orders?limit=2`).expect(200);
    const second = await viewer
      .get(`/users/${id}/orders?limit=2&cursor=${first.body.nextCursor}`)
      .expect(200);
    const numbers = [...first.body.data, ...second.body.data].map((order) => order.outTradeNo);
    expect(numbers).toEqual(rows.reverse().map((row) => row.out_trade_no));
    expect(second.body.nextCursor).toBeNull();
    await viewer.get('/users/user-0/orders').expect(404);
  });
});

describe('PATCH /api/admin/users/:id', () => {
  it('writes what was sent and nothing else, and keeps masked what it was', async () => {
    const id = await insertUser({ phone: '13812341234' });
    const before = await rowOf(id);
    const { body } = await operator
      .patch(`/users/${id}`, { phone: '+8613912345678', avatarUrl: 'https://e.com/b.png' })
      .expect(200);
    expect(body.data).toMatchObject({ phone: '+86*******5678', avatarUrl: 'https://e.com/b.png' });
    expect(await rowOf(id)).toEqual({
      ...before,
      phone: '+8613912345678',
      avatar_url: 'https://e.com/b.png',
      updated_at: expect.any(Date) as Date,
    });
    const [audit] = await auditOf(id);
    expect(audit).toMatchObject({ action: 'user.changed', actor: 'admin:olga' });
    expect([parsed(audit?.before_data), parsed(audit?.after_data)]).toEqual([
      { phone: '138****1234', avatarUrl: null },
      { phone: '+86*******5678', avatarUrl: 'https://e.com/b.png' },
    ]);
  });

  it('clears a phone number with null, and keeps no line where nothing differs', async () => {
    const id = await insertUser({ phone: '13812341234' });
    await operator.patch(`/users/${id}`, { phone: null }).expect(200);
    await operator.patch(`/users/${id}`, { phone: null, nickname: 'Anna' }).expect(200);
    expect(await rowOf(id)).toMatchObject({ phone: null, nickname: 'Anna', last_login_at: LOGIN });
    expect(await auditOf(id)).toHaveLength(1);
  });

  // Some servers rewrite the contract's column on every update.
  it('leaves the last login where it was', async () => {
    const id = await insertUser();
    await database.query(
      'ALTER TABLE users MODIFY last_login_at TIMESTAMP NULL DEFAULT NULL ON UPDATE CURRENT_TIMESTAMP',
    );
    await operator.patch(`/users/${id}`, { nickname: 'Berta' }).expect(200);
    expect(await rowOf(id)).toMatchObject({ nickname: 'Berta', last_login_at: LOGIN });
  });

  it.each<[string, Record<string, unknown>]>([
    ['nickname', {}],
    ['nickname', { nickname: '' }],
    ['nickname', { nickname: null }],
    ['nickname', { nickname: 'x'.repeat(101) }],
    ['avatarUrl', { avatarUrl: 'http://e.com/a.png' }],
    ['avatarUrl', { avatarUrl: 'javascript:alert(1)' }],
    ['avatarUrl', { avatarUrl: `https://e.com/${'x'.repeat(2_000)}` }],
    ['phone', { phone: '12345' }],
    ['phone', { phone: '+0123456789' }],
    ['phone', { nickname: 'fits', phone: '' }],
    ['paymentStatus', { nickname: 'fits', paymentStatus: 'premium' }],
    ['openid', { openid: 'oabc' }],
  ])('refuses a wrong %s, and leaves nothing', async (field, sent) => {
    const id = await insertUser({ phone: '13812341234' });
    const before = await rowOf(id);
    const { body } = await operator.patch(`/users/${id}`, sent).expect(400);
    expect(body.message).toContain(field);
    expect(await rowOf(id)).toEqual(before);
    expect(await auditOf(id)).toEqual([]);
  });

  it('is not for viewers, and answers 404 for nobody', async () => {
    const id = await insertUser();
    await viewer.patch(`/users/${id}`, { nickname: 'x' }).expect(403);
    await operator.patch('/users/user-0', { nickname: 'x' }).expect(404);
    expect(await rowOf(id)).toMatchObject({ nickname: 'Anna' });
  });
});

describe('without the database', () => {
  it('users are away for a while, and not unknown', async () => {
    const alone = await startApplication(database, { DB_HOST: '127.0.0.1', DB_PORT: '1' });
    try {
      const answer = await adminClient(alone, await insertToken(database, 'viewer')).get('/users/user-1');
      expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    } finally {
      await alone.stop();
    }
  });
});
