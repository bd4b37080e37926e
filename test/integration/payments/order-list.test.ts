import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OrderListRepository, PLACES_PER_PAGE_MAX } from '../../../src/payments/order-list.repository.js';
import { OrdersService } from '../../../src/payments/orders.service.js';
import type { OrderFilter, OrderPosition } from '../../../src/payments/orders.types.js';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { Money } from '../../../src/shared/money.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { recording, rowsRead } from '../../support/rows-read.js';

const ROWS = 50_000;
const USERS = 10;
const STATES = ['pending', 'paid', 'paid', 'failed', 'refunded'] as const;
const FIRST_SECOND = Date.UTC(2026, 0, 1) / 1000;
const LIMIT = 50;
/** A row of the page is read once, and looked up in the ledger, the exceptions and the refunds. */
const READS_PER_ROW_MAX = 12;

let database: TestDatabase;
let application: TestApplication;

beforeAll(async () => {
  database = await createTestDatabase();
  application = await startApplication(database, { ROLE: 'api' });
  await application.whenAvailable();
  await fillTable();
}, 120_000);
afterAll(async () => {
  await application.stop();
  await database.drop();
});

/** Three orders a second, so that many share their time; some have none, and a few are held. */
async function fillTable(): Promise<void> {
  await database.query('INSERT INTO users (id) VALUES ?', [
    Array.from({ length: USERS }, (_, n) => [`user-${n}`]),
  ]);
  const rows = Array.from({ length: ROWS }, (_, n) => {
    const at = new Date((FIRST_SECOND + Math.floor(n / 3)) * 1000);
    return [
      `order-${String(n).padStart(6, '0')}`,
      `user-${n % USERS}`,
      '-',
      `17${String(n).padStart(16, '0')}`,
      n === 77 ? '12.34' : '29.90',
      'premium',
      STATES[n % STATES.length],
      n % STATES.length === 0 ? null : at,
      n % 5_000 === 0 ? null : at,
      at,
    ];
  });
  for (let from = 0; from < ROWS; from += 10_000) {
    await database.query(
      `INSERT INTO payment_orders
         (id, user_id, generation_id, out_trade_no, amount, package_type, status, paid_at, created_at, updated_at) VALUES ?`,
      [rows.slice(from, from + 10_000)],
    );
  }
  await database.query(
    `INSERT INTO exceptions (kind, subject, reason, status, opened_at)
     SELECT 'payment_held', out_trade_no, 'test', IF(id LIKE '%1', 'open', 'resolved'), created_at FROM payment_orders
      WHERE created_at IS NOT NULL AND (id LIKE '%1' OR id LIKE '%3')`,
  );
  await database.query('ANALYZE TABLE payment_orders, exceptions, users');
}

function list(filter: OrderFilter, after: OrderPosition | null, limit = LIMIT) {
  return application.app.get(OrdersService).list(filter, { after, limit });
}

/** The place of the n-th order from the oldest. */
function place(by: string, n: number): OrderPosition {
  const at = new Date((FIRST_SECOND + Math.floor(n / 3)) * 1000).toISOString();
  return { by, at, id: `order-${String(n).padStart(6, '0')}` };
}

async function readsOf(filter: OrderFilter, after: OrderPosition | null): Promise<number[]> {
  const repository = application.app.get(OrderListRepository);
  const { tx, seen } = recording(application.app.get(UnitOfWork).reader);
  const lowest = await repository.findLowestPlace(tx, filter, after);
  await repository.list(tx, filter, { after, limit: LIMIT, lowest });
  return Promise.all(seen.map((statement) => rowsRead(database, statement)));
}

describe('the listing of orders', () => {
  // Prevents a deep page from reading all that comes before it, which an offset does: with millions of orders, for seconds.
  it.each<[string, OrderFilter, string]>([
    ['without a filter', {}, 'created'],
    ['of one state', { status: 'paid' }, 'status'],
    ['of one user', { userId: 'user-4' }, 'user'],
    ['paid within a time', { paidFrom: new Date(FIRST_SECOND * 1000) }, 'paid'],
    ['made within a time', { createdFrom: new Date(FIRST_SECOND * 1000) }, 'created'],
    ['of one user within a time', { userId: 'user-4', createdTo: new Date(FIRST_SECOND * 2000) }, 'user'],
  ])('reads as much on a deep page as on the first one: %s', async (_, filter, road) => {
    const [first = 0] = await readsOf(filter, null);
    const [deep = 0] = await readsOf(filter, place(road, 1_500));
    expect(first).toBeLessThanOrEqual((LIMIT + 1) * READS_PER_ROW_MAX);
    expect(Math.abs(deep - first)).toBeLessThanOrEqual(LIMIT);
  });

  it('reads as much on a deep page as on the first one: held', async () => {
    const [first = 0] = await readsOf({ held: true }, null);
    const [deeper] = await database.query<{ at: Date; id: string }>(
      "SELECT opened_at AS at, id FROM exceptions WHERE status = 'open' ORDER BY opened_at, id LIMIT 1 OFFSET 200",
    );
    const after = { by: 'held', at: deeper?.at.toISOString() ?? '', id: String(deeper?.id) };
    const [deep = 0] = await readsOf({ held: true }, after);
    expect(first).toBeLessThanOrEqual((LIMIT + 1) * READS_PER_ROW_MAX);
    expect(Math.abs(deep - first)).toBeLessThanOrEqual(LIMIT);
  });

  it.each<[string, OrderFilter]>([
    ['the merchant number', { outTradeNo: '170000000000000077' }],
    [
      'the merchant number and what does not fit',
      { outTradeNo: '170000000000000077', status: 'paid', held: true },
    ],
    ["WeChat Pay's number", { transactionId: '4200', status: 'paid' }],
  ])('reads a handful of rows by %s', async (_, filter) => {
    const [reads, ...more] = await readsOf(filter, null);
    expect(reads).toBeLessThanOrEqual(READS_PER_ROW_MAX);
    expect(more).toEqual([]);
  });

  // Prevents a filter that no index knows from reading the whole table when nearly nothing fits it.
  it.each<[string, OrderFilter]>([
    ['an amount', { amountMax: Money.ofYuan('20.00') }],
    ['an amount of one state', { status: 'paid', amountMax: Money.ofYuan('20.00') }],
    ['a way of paying', { tradeType: 'APP' }],
    ['a package of one user', { userId: 'user-4', packageType: 'basic' }],
    ['a state of a time of payment', { paidTo: new Date(FIRST_SECOND * 2000), status: 'pending' }],
    ['what is held of a state', { status: 'failed', held: true, packageType: 'basic' }],
  ])('looks at a bounded part of the table for one page: %s', async (_, filter) => {
    const reads = await readsOf(filter, null);
    for (const read of reads) expect(read).toBeLessThanOrEqual(PLACES_PER_PAGE_MAX * 2 + 100);
  });

  it('finds the one order that fits, through short pages, and ends', async () => {
    const found: string[] = [];
    let after: OrderPosition | null = null;
    let pages = 0;
    do {
      const page = await list({ amountMax: Money.ofYuan('20.00') }, after);
      found.push(...page.items.map(({ id }) => id));
      after = page.next;
      pages += 1;
    } while (after);
    expect(found).toEqual(['order-000077']);
    expect(pages).toBeLessThanOrEqual(ROWS / PLACES_PER_PAGE_MAX + 1);
  });

  // Three orders share each second, and some have no time at all: none may be left out or come twice.
  it.each<[string, OrderFilter, number]>([
    ['all', {}, ROWS],
    ['of a user', { userId: 'user-0' }, ROWS / USERS],
    ['of a user and a package', { userId: 'user-0', packageType: 'premium' }, ROWS / USERS],
  ])('shows each order once over all pages: %s', async (_, filter, count) => {
    const ids: string[] = [];
    const times: number[] = [];
    let after: OrderPosition | null = null;
    do {
      const page = await list(filter, after, 2_500);
      ids.push(...page.items.map(({ id }) => id));
      times.push(...page.items.map(({ createdAt }) => createdAt?.getTime() ?? 0));
      after = page.next;
    } while (after);
    expect(ids).toHaveLength(count);
    expect(new Set(ids).size).toBe(count);
    expect(times.every((time, n) => n === 0 || time <= (times[n - 1] ?? 0))).toBe(true);
  });

  it('tells held orders from others', async () => {
    const held = await list({ held: true }, null);
    expect(held.items).toHaveLength(LIMIT);
    expect(held.items.every(({ heldBecause, id }) => heldBecause === 'test' && id.endsWith('1'))).toBe(true);
    const others = await list({ held: false, userId: 'user-1' }, null);
    expect(others.items).toEqual([]);
    const ofUser = await list({ held: true, userId: 'user-1' }, null);
    expect(ofUser.items).toHaveLength(LIMIT);
    const resolved = await list({ held: false, userId: 'user-3' }, null);
    expect(resolved.items).toHaveLength(LIMIT);
  });

  it('refuses a place of another listing', async () => {
    await expect(list({ userId: 'user-1' }, place('created', 7))).rejects.toMatchObject({ kind: 'invalid' });
  });
});
