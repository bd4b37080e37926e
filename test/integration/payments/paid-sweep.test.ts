import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PaymentOrdersRepository } from '../../../src/payments/payment-orders.repository.js';
import { PaidSweepService } from '../../../src/payments/paid-sweep.service.js';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { JobLeasesRepository } from '../../../src/platform/jobs/job-leases.repository.js';
import type { JobContext } from '../../../src/platform/jobs/job-runner.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { insertOrderRow } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { rowsRead } from '../../support/rows-read.js';
import { readOrder } from '../../support/payments.js';
import { eventually } from '../../support/until.ts';

const LEASE_TTL_MS = 30_000;

describe('paid sweep', () => {
  let database: TestDatabase;
  let application: TestApplication;
  let sweep: PaidSweepService;
  let leases: JobLeasesRepository;

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await startApplication(database, { ROLE: 'api' }); // sweeps run only where the tests call them
    await application.whenAvailable();
    sweep = application.app.get(PaidSweepService);
    leases = application.app.get(JobLeasesRepository);
  });
  afterAll(async () => {
    await application.stop();
    await database.drop();
  });

  async function context(name: string, owner = 'test'): Promise<JobContext> {
    const lease = await leases.claim(name, owner, LEASE_TTL_MS);
    return { lease, stopping: new AbortController().signal };
  }

  const grantsOf = async (number: string) => (await readOrder(database, number)).grants.length;

  it('grants rows that were turned paid without a notice, once', async () => {
    const rows = await Promise.all(
      Array.from({ length: 5 }, () => insertOrderRow(database, { status: 'paid' })),
    );
    await sweep.sweepRecent(150, await context('recent'));
    await sweep.sweepRecent(150, await context('recent'));
    for (const row of rows) expect(await grantsOf(row.out_trade_no)).toBe(1);
  });

  it('passes over more rows than one page, and over one that fails', async () => {
    const poison = await insertOrderRow(database, { status: 'paid', amount: '0.01' });
    const rows = [];
    for (let n = 0; n < 230; n += 1) rows.push(await insertOrderRow(database, { status: 'paid' }));
    await sweep.sweepRecent(150, await context('recent'));
    expect(await grantsOf(poison.out_trade_no)).toBe(0);
    expect((await readOrder(database, poison.out_trade_no)).exceptions).toMatchObject([
      { kind: 'payment_held' },
    ]);
    const [count] = await database.query<{ n: string }>(
      'SELECT COUNT(*) AS n FROM entitlement_grants WHERE out_trade_no IN (?)',
      [rows.map((row) => row.out_trade_no)],
    );
    expect(Number(count?.n)).toBe(230);
  });

  it('does not look at held orders again', async () => {
    const reader = application.app.get(UnitOfWork).reader;
    const page = { windowSeconds: 150, after: null, limit: 10 };
    expect(await application.app.get(PaymentOrdersRepository).listUnsettledRecent(reader, page)).toEqual([]);
  });

  it('finds in its pass over the whole table what lies outside every window', async () => {
    const old = await insertOrderRow(database, {
      status: 'paid',
      created_at: new Date('2026-03-01T00:00:00Z'),
    });
    await database.query("UPDATE payment_orders SET updated_at = '2026-03-01 00:00:00' WHERE id = ?", [
      old.id,
    ]);
    await sweep.sweepRecent(1800, await context('recent'));
    expect(await grantsOf(old.out_trade_no)).toBe(0);
    await eventually(async () => {
      await sweep.sweepNextStep(await context('full'));
      expect(await grantsOf(old.out_trade_no)).toBe(1);
    }, 1);
  });

  it('keeps its place in the table with the lease, for the next owner', async () => {
    const { lease } = await context('place');
    if (!lease) throw new Error('the lease must be free');
    expect(await leases.saveCursor(lease, 'order-5')).toBe(true);
    await leases.release(lease);
    const next = await context('place', 'another');
    expect(next.lease).toMatchObject({ cursor: 'order-5' });
    expect(Number(next.lease?.fencingToken)).toBeGreaterThan(Number(lease.fencingToken));
    expect(await leases.saveCursor(lease, 'order-6')).toBe(false);
  });

  it('stops as soon as its lease has gone to another replica', async () => {
    const row = await insertOrderRow(database, { status: 'paid' });
    const stale = await context('fenced');
    await database.query(
      "UPDATE job_leases SET expires_at = NOW(3) - INTERVAL 1 SECOND WHERE name = 'fenced'",
    );
    await context('fenced', 'another');
    await sweep.sweepRecent(150, stale);
    expect(await grantsOf(row.out_trade_no)).toBe(0);
  });

  // Watermarks miss late commits and full scans grow with the table: a tick reads what changed lately and no more.
  it('costs the same on a large table: no tick reads more rows than changed within its window', async () => {
    const seen: { sql: string; values: unknown[] }[] = [];
    const record = (sql: string, values: unknown[]) => (seen.push({ sql, values }), Promise.resolve([]));
    const tx = { query: record } as unknown as Parameters<PaymentOrdersRepository['listPaidById']>[0];
    const repository = application.app.get(PaymentOrdersRepository);
    await repository.listUnsettledRecent(tx, { windowSeconds: 150, after: null, limit: 200 });
    await repository.listPaidById(tx, { afterId: 'order-1', limit: 100 });

    const before = await Promise.all(seen.map((statement) => rowsRead(database, statement)));
    await fillTable(database, 20_000);
    const after = await Promise.all(seen.map((statement) => rowsRead(database, statement)));
    const recent = await database.query(
      "SELECT id FROM payment_orders WHERE status = 'paid' AND updated_at > NOW() - INTERVAL 150 SECOND",
    );
    expect(recent.length).toBeGreaterThan(200);
    expect(before[0]).toBeLessThanOrEqual(3 * recent.length + 20);
    expect(after[0]).toBeLessThanOrEqual((before[0] ?? 0) + 20);
    // The step's rows, put together and sorted, each looked up in the ledger twice and in the exceptions: nothing of the rest.
    expect(after[1]).toBeLessThanOrEqual(6 * 100 + 20);
    const plan = await database.query<{ key?: string; EXPLAIN?: string }>(
      `EXPLAIN ${seen[0]?.sql}`,
      seen[0]?.values,
    );
    expect(JSON.stringify(plan)).toContain('idx_payment_orders_status_updated');
  });
});

/** Paid orders of long ago, most granted and some held. */
async function fillTable(database: TestDatabase, rows: number): Promise<void> {
  await database.query("INSERT INTO users (id) VALUES ('user-of-many')");
  const values = Array.from({ length: rows }, (_, n) => {
    const number = `16${String(n).padStart(16, '0')}`;
    return [
      `order-old-${number}`,
      'user-of-many',
      '-',
      number,
      '29.90',
      'premium',
      'paid',
      '2026-02-01 00:00:00',
    ];
  });
  await database.query(
    'INSERT INTO payment_orders (id, user_id, generation_id, out_trade_no, amount, package_type, status, updated_at) VALUES ?',
    [values],
  );
  await database.query(
    `INSERT INTO entitlement_grants (out_trade_no, user_id, package_type, regenerate_delta, origin, granted_by)
     SELECT out_trade_no, user_id, 'premium', 20, 'payment', 'test' FROM payment_orders WHERE id LIKE 'order-old-%' AND out_trade_no NOT LIKE '%7'`,
  );
  await database.query(
    `INSERT INTO exceptions (kind, subject, reason)
     SELECT 'payment_held', out_trade_no, 'test' FROM payment_orders WHERE id LIKE 'order-old-%7'`,
  );
  await database.query('ANALYZE TABLE payment_orders, entitlement_grants, exceptions');
}
