import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { expectToMatchOpenApi } from '../support/openapi.js';
import { until } from '../support/until.ts';

const HOUR_MS = 3_600_000;
const SERVED_WITHIN_MS = 8_000;

let database: TestDatabase;
let backend: TestApplication;
let boss: AdminClient;

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database);
  await backend.whenAvailable();
  boss = adminClient(backend, await insertToken(database, 'admin', { name: 'boss' }));
});

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

const inHours = (hours: number) => new Date(Date.now() + hours * HOUR_MS).toISOString();
const auditOf = (id: string) =>
  database.query('SELECT actor, action FROM audit_logs WHERE target_type = ? AND target_id = ? ORDER BY id', [
    'price',
    id,
  ]);
const countPrices = async () => (await database.query('SELECT id FROM price_configs')).length;

describe('a price', () => {
  it('that begins now is what the cloud functions read within seconds', async () => {
    const made = await boss.post('/prices', { packageType: 'premium', amount: '39.9', note: 'spring' });
    expect(made.status).toBe(201);
    expectToMatchOpenApi(made);
    expect(made.body.data).toMatchObject({
      amountFen: 3990,
      amount: '39.90',
      state: 'in_force',
      author: 'admin:boss',
      note: 'spring',
    });
    await until(
      async () => {
        const { body } = await backend.http().get('/api/prices/current').expect(200);
        expect(body.data.packages.premium).toBe(39.9);
      },
      { withinMs: SERVED_WITHIN_MS, everyMs: 100 },
    );
    expect(await auditOf(made.body.data.id)).toEqual([{ actor: 'admin:boss', action: 'price.scheduled' }]);
  });

  it('of the future follows at its time', async () => {
    const effectiveAt = new Date(Date.now() + 1_500).toISOString();
    const made = await boss.post('/prices', { packageType: 'basic', amount: '1', effectiveAt }).expect(201);
    expect(made.body.data.state).toBe('scheduled');
    await until(
      async () => {
        const { body } = await backend.http().get('/api/prices/current').expect(200);
        expect(body.data.packages.basic).toBe(1);
      },
      { withinMs: SERVED_WITHIN_MS, everyMs: 100 },
    );
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(effectiveAt));
  });

  it('can be withdrawn before it is in force, once, and its instant is free again', async () => {
    const body = { packageType: 'premium', amount: '49.00', effectiveAt: inHours(1) };
    const { id } = (await boss.post('/prices', body).expect(201)).body.data;
    const first = await boss.post(`/prices/${id}/cancel`).expect(200);
    expectToMatchOpenApi(first);
    expect(first.body.data).toMatchObject({ state: 'cancelled', cancelledBy: 'admin:boss' });
    const second = await boss.post(`/prices/${id}/cancel`).expect(200);
    expect(second.body).toEqual(first.body);
    expect((await auditOf(id)).map(({ action }) => action)).toEqual(['price.scheduled', 'price.cancelled']);
    await boss.post('/prices', body).expect(201);
  });

  // Prevents orders of yesterday, which were charged this price, from matching no price any more.
  it('that is in force stays: 409, and nothing changes', async () => {
    const { id } = (await boss.post('/prices', { packageType: 'premium', amount: '19.90' }).expect(201)).body
      .data;
    const refused = await boss.post(`/prices/${id}/cancel`);
    expect([refused.status, refused.body.error]).toEqual([409, 'price_in_force']);
    expectToMatchOpenApi(refused);
    expect(await auditOf(id)).toHaveLength(1);
  });

  // Interleaving: both look before either has written; only the unique key can tell who was first.
  it('is one per package and instant, also when two operators set it at once', async () => {
    const body = { packageType: 'premium', amount: '59.00', effectiveAt: inHours(2) };
    const answers = await Promise.all(Array.from({ length: 8 }, () => boss.post('/prices', body)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(7).fill(409)]);
    const refused = answers.find(({ status }) => status === 409);
    const { id } = (answers.find(({ status }) => status === 201)?.body as { data: { id: string } }).data;
    expect(refused?.body).toMatchObject({
      error: 'price_exists',
      message: expect.stringContaining(`The price ${id}, 59.00 yuan, begins`),
    });
    if (refused) expectToMatchOpenApi(refused);
    await boss.post('/prices', { ...body, packageType: 'basic' }).expect(201);
  });

  it.each([
    ['amount', { amount: '0' }],
    ['amount', { amount: '0.00' }],
    ['amount', { amount: '29.901' }],
    ['amount', { amount: 29.9 }],
    ['amount', { amount: '-1' }],
    ['amount', { amount: '10000.01' }],
    ['packageType', { packageType: 'free' }],
    ['effectiveAt', { effectiveAt: '2020-01-01T00:00:00Z' }],
    ['effectiveAt', { effectiveAt: '2099-01-01T00:00:00Z' }],
    ['effectiveAt', { effectiveAt: 'tomorrow' }],
    ['note', { note: 'x'.repeat(501) }],
    ['author', { author: 'somebody' }],
  ])('is refused for its %s with 400, and nothing is stored: %j', async (field, changes) => {
    const before = await countPrices();
    const answer = await boss.post('/prices', { packageType: 'premium', amount: '29.90', ...changes });
    expect([answer.status, answer.body.message]).toEqual([400, expect.stringContaining(field)]);
    expect(await countPrices()).toBe(before);
  });

  it('that is not there cannot be cancelled', async () => {
    await boss.post('/prices/999999/cancel').expect(404);
    await boss.post('/prices/one/cancel').expect(400);
  });
});

describe('the history of prices', () => {
  it('is listed page by page, the latest first, with one price in force per package', async () => {
    const all = await boss.get('/prices?limit=200').expect(200);
    expectToMatchOpenApi(all);
    const paged: unknown[] = [];
    let cursor = '';
    for (let pages = 0; pages < 50; pages += 1) {
      const page = await boss.get(`/prices?limit=3${cursor}`).expect(200);
      paged.push(...page.body.data);
      if (page.body.nextCursor === null) break;
      cursor = `&cursor=${page.body.nextCursor}`;
    }
    expect(paged).toEqual(all.body.data);
    expect(paged).toHaveLength(await countPrices());
    const times = all.body.data.map(({ effectiveAt }: { effectiveAt: string }) => effectiveAt);
    expect(times).toEqual([...times].sort().reverse());
    for (const packageType of ['basic', 'premium']) {
      const { body } = await boss.get(`/prices?packageType=${packageType}`).expect(200);
      const states = body.data.map(({ state }: { state: string }) => state);
      expect(states.filter((state: string) => state === 'in_force')).toHaveLength(1);
      expect(new Set(body.data.map((price: { packageType: string }) => price.packageType))).toEqual(
        new Set([packageType]),
      );
    }
  });
});
