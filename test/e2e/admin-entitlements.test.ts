import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo } from '../support/builders.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { readOrder, recordPaid } from '../support/payments.js';

const AT_ONCE = 20;

let database: TestDatabase;
let replicas: [TestApplication, TestApplication];
let admins: [AdminClient, AdminClient];
let admin: AdminClient;
let operator: AdminClient;

beforeAll(async () => {
  database = await createTestDatabase();
  const start = async () => {
    const replica = await startApplication(database, { ROLE: 'api' });
    await replica.whenAvailable();
    return replica;
  };
  replicas = [await start(), await start()];
  const token = await insertToken(database, 'admin', { name: 'boss' });
  admins = [adminClient(replicas[0], token), adminClient(replicas[1], token)];
  admin = admins[0];
  operator = adminClient(replicas[0], await insertToken(database, 'operator'));
});
afterAll(async () => {
  for (const replica of replicas) await replica.stop();
  await database.drop();
});

async function insertUser(changes: Record<string, unknown> = {}): Promise<string> {
  const id = `user-${newOutTradeNo()}`;
  await database.query('INSERT INTO users SET ?', [{ id, ...changes }]);
  return id;
}

/** An order of the user that was paid and granted. */
async function paidOrder(userId: string, packageType: 'basic' | 'premium' = 'premium'): Promise<string> {
  const row = await insertOrderRow(database, {
    user_id: userId,
    status: 'paid',
    package_type: packageType,
    amount: packageType === 'premium' ? '29.90' : '0.01',
  });
  expect(await recordPaid(replicas[0], row.out_trade_no)).toBe('granted');
  return row.out_trade_no;
}

async function have(id: string): Promise<[unknown, unknown]> {
  const [row] = await database.query('SELECT payment_status, regenerate_count FROM users WHERE id = ?', [id]);
  return [row?.payment_status, row?.regenerate_count];
}

const linesOf = (id: string) =>
  database.query<Record<string, unknown>>('SELECT * FROM entitlement_grants WHERE user_id = ? ORDER BY id', [
    id,
  ]);

const auditOf = (id: string) =>
  database.query<Record<string, unknown>>('SELECT * FROM audit_logs WHERE target_id = ? ORDER BY id', [id]);

const GIFT = { packageType: 'premium', regenerateCredits: 20, reason: 'the delivery failed' };

const grant = (
  userId: string,
  body: Record<string, unknown> = GIFT,
  key: string = randomUUID(),
  by = admin,
) => by.post(`/users/${userId}/entitlements/grant`, body).set('Idempotency-Key', key);

const revoke = (userId: string, outTradeNo: string, reason = 'a mistake', by = admin) =>
  by.post(`/users/${userId}/entitlements/revoke`, { outTradeNo, reason });

describe('a grant by hand', () => {
  it('raises the user by a line in the ledger, and is audited', async () => {
    const id = await insertUser({ regenerate_count: 2 });
    const key = randomUUID();
    const { body } = await grant(id, GIFT, key).expect(200);
    expect(body.data).toMatchObject({
      packageType: 'premium',
      regenerateCount: 22,
      line: {
        outTradeNo: `manual:${key}`,
        entry: 'grant',
        packageType: 'premium',
        regenerateDelta: 20,
        origin: 'manual',
        reason: GIFT.reason,
        by: 'admin:boss',
      },
    });
    expect(await have(id)).toEqual(['premium', 22]);
    expect(await auditOf(id)).toMatchObject([{ action: 'entitlement.granted', actor: 'admin:boss' }]);
  });

  it('never lowers a package, and gives credits alone as free', async () => {
    const id = await insertUser({ payment_status: 'premium' });
    await grant(id, { ...GIFT, packageType: 'basic', regenerateCredits: 5 }).expect(200);
    expect(await have(id)).toEqual(['premium', 8]);
    const free = await insertUser();
    await grant(free, { ...GIFT, packageType: 'free', regenerateCredits: 4 }).expect(200);
    expect(await have(free)).toEqual(['free', 7]);
  });

  // Prevents two clicks, or a proxy that sends a request again, from giving twice.
  it('is one grant, however many requests with its key arrive at once on two replicas', async () => {
    const id = await insertUser();
    const key = randomUUID();
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) => grant(id, GIFT, key, admins[n % 2])),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: AT_ONCE }, () => 200));
    expect(new Set(answers.map(({ body }) => body.data.line.id)).size).toBe(1);
    expect(await linesOf(id)).toHaveLength(1);
    expect(await have(id)).toEqual(['premium', 23]);
    expect(await auditOf(id)).toHaveLength(1);
  });

  it('refuses the key of another grant, also of another user at the same moment', async () => {
    const [id, other] = [await insertUser(), await insertUser()];
    const key = randomUUID();
    const answers = await Promise.all([grant(id, GIFT, key), grant(other, GIFT, key, admins[1])]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    const winner = answers[0].status === 200 ? id : other;
    for (const changes of [{ reason: 'x' }, { regenerateCredits: 19 }, { packageType: 'basic' }]) {
      const { body } = await grant(winner, { ...GIFT, ...changes }, key).expect(409);
      expect(body.error).toBe('idempotency_key_used');
    }
    expect([...(await linesOf(id)), ...(await linesOf(other))]).toHaveLength(1);
    expect(await have(winner)).toEqual(['premium', 23]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['packageType', { packageType: 'gold' }],
    ['regenerateCredits', { regenerateCredits: -1 }],
    ['regenerateCredits', { regenerateCredits: 1_001 }],
    ['regenerateCredits', { regenerateCredits: 1.5 }],
    ['regenerateCredits', { packageType: 'free', regenerateCredits: 0 }],
    ['reason', { reason: '' }],
    ['reason', { reason: undefined }],
    ['outTradeNo', { outTradeNo: '1' }],
  ])('refuses a wrong %s, and leaves nothing', async (field, changes) => {
    const id = await insertUser();
    const { body } = await grant(id, { ...GIFT, ...changes }).expect(400);
    expect(body.message).toContain(field);
    expect([await linesOf(id), await have(id), await auditOf(id)]).toEqual([[], ['free', 3], []]);
  });

  it('wants a key, an existing user and an admin', async () => {
    const id = await insertUser();
    const path = `/users/${id}/entitlements/grant`;
    expect((await admin.post(path, GIFT).expect(400)).body.message).toContain('Idempotency-Key');
    for (const key of ['', 'x'.repeat(65), 'with space', 'with/slash'])
      expect((await grant(id, GIFT, key).expect(400)).body.message).toContain('Idempotency-Key');
    await grant('user-0').expect(404);
    await grant(id, GIFT, randomUUID(), operator).expect(403);
    await revoke(id, '1', 'x', operator).expect(403);
    expect(await linesOf(id)).toEqual([]);
  });
});

describe('a revocation by hand', () => {
  it('lets the user fall to the highest grant that is left, and takes the credits that are still there', async () => {
    const id = await insertUser();
    await paidOrder(id, 'basic');
    const premium = await paidOrder(id, 'premium');
    expect(await have(id)).toEqual(['premium', 28]);
    await database.query('UPDATE users SET regenerate_count = 12 WHERE id = ?', [id]);
    const { body } = await revoke(id, premium).expect(200);
    expect(body.data).toMatchObject({
      packageType: 'basic',
      regenerateCount: 0,
      line: { entry: 'revocation', origin: 'manual', regenerateDelta: -12, reason: 'a mistake' },
    });
    expect(await have(id)).toEqual(['basic', 0]);
    expect((await auditOf(id)).map(({ action }) => action)).toEqual(['entitlement.revoked']);
  });

  it('keeps the order paid, and no later notice grants it again', async () => {
    const id = await insertUser();
    const outTradeNo = await paidOrder(id);
    await revoke(id, outTradeNo).expect(200);
    await recordPaid(replicas[0], outTradeNo);
    expect(await have(id)).toEqual(['free', 3]);
    const { order, grants } = await readOrder(database, outTradeNo);
    expect(order?.status).toBe('paid');
    expect(grants.map(({ entry }) => entry)).toEqual(['grant', 'revocation']);
  });

  it('is one revocation, however many requests arrive at once on two replicas', async () => {
    const id = await insertUser();
    await grant(id, GIFT).expect(200);
    const key = randomUUID();
    await grant(id, { ...GIFT, packageType: 'basic', regenerateCredits: 7 }, key).expect(200);
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) => revoke(id, `manual:${key}`, 'twice', admins[n % 2])),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: AT_ONCE }, () => 200));
    expect(await linesOf(id)).toHaveLength(3);
    expect(await have(id)).toEqual(['premium', 23]);
    const other = await revoke(id, `manual:${key}`, 'for another reason').expect(409);
    expect(other.body.error).toBe('already_revoked');
  });

  it('takes nothing from others, and nothing that is not there', async () => {
    const [id, other] = [await insertUser(), await insertUser()];
    const outTradeNo = await paidOrder(other);
    expect((await revoke(id, outTradeNo).expect(404)).body.error).toBe('grant_unknown');
    await revoke(id, newOutTradeNo()).expect(404);
    await revoke('user-0', outTradeNo).expect(404);
    for (const [field, body] of [
      ['reason', { outTradeNo }],
      ['outTradeNo', { outTradeNo: 'a b', reason: 'x' }],
      ['by', { outTradeNo, reason: 'x', by: 'me' }],
    ] as const) {
      const refused = await admin.post(`/users/${other}/entitlements/revoke`, body).expect(400);
      expect(refused.body.message).toContain(field);
    }
    expect(await have(other)).toEqual(['premium', 23]);
  });
});

describe('GET /api/admin/users/:id/entitlements', () => {
  it('tells why the user has the package: the lines, and the grant that makes it', async () => {
    const id = await insertUser();
    const basic = await paidOrder(id, 'basic');
    const premium = await paidOrder(id, 'premium');
    const first = await operator.get(`/users/${id}/entitlements?limit=1`).expect(200);
    expect(first.body.data).toMatchObject({
      packageType: 'premium',
      regenerateCount: 28,
      madeBy: { outTradeNo: premium },
      lines: [
        { outTradeNo: premium, entry: 'grant', regenerateDelta: 20, origin: 'payment', by: 'system:notify' },
      ],
    });
    await revoke(id, premium).expect(200);
    const { body } = await operator.get(`/users/${id}/entitlements`).expect(200);
    expect(body.data).toMatchObject({
      packageType: 'basic',
      madeBy: { outTradeNo: basic },
      nextCursor: null,
    });
    expect(body.data.lines.map((line: { entry: string }) => line.entry)).toEqual([
      'revocation',
      'grant',
      'grant',
    ]);
    const cursor = first.body.data.nextCursor as string;
    const next = await operator.get(`/users/${id}/entitlements?limit=1&cursor=${cursor}`).expect(200);
    expect(next.body.data.lines).toMatchObject([{ outTradeNo: basic }]);
  });

  it('says so when the package comes from elsewhere, and knows nobody that is not there', async () => {
    const id = await insertUser({ payment_status: 'premium' });
    const { body } = await operator.get(`/users/${id}/entitlements`).expect(200);
    expect(body.data).toMatchObject({ packageType: 'premium', madeBy: null, lines: [] });
    await operator.get('/users/user-0/entitlements').expect(404);
  });
});
