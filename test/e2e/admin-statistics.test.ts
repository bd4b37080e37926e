import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.ts';

let database: TestDatabase;
let proxy: TcpProxy;
let backend: TestApplication;
let viewer: AdminClient;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  backend = await startApplication({ ...database, env: { ...database.env, ...proxy.env } });
  await backend.whenAvailable();
  viewer = adminClient(backend, await insertToken(database, 'viewer'));
  await database.query("INSERT INTO users (id) VALUES ('user-1')");
});

beforeEach(async () => {
  for (const table of ['refunds', 'refund_settlements', 'payment_orders'])
    await database.query(`DELETE FROM ${table}`);
});

afterAll(async () => {
  await backend.stop();
  await proxy.close();
  await database.drop();
});

type Line = {
  day: string;
  packageType: string;
  tradeType: string;
  createdCount: number;
  createdPaidCount: number;
  paidCount: number;
  paidFen: string;
  refundedCount: number;
  refundedFen: string;
};

type Order = {
  status: string;
  fen: number;
  packageType: string;
  tradeType: string;
  createdAt: Date;
  paidAt: Date | null;
  refunds: { fen: number; status: string; refundedAt: Date }[];
};

/** Seconds around the midnights of Shanghai, which are the 16:00:00 of UTC. */
const INSTANT = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.constantFrom(-1, 0, 1, 3_600, -40_000))
  .map(([day, seconds]) => new Date(Date.UTC(2026, 0, 10 + day, 16) + seconds * 1000));

const ORDER: fc.Arbitrary<Order> = fc.record({
  status: fc.constantFrom('pending', 'paid', 'failed', 'refunded'),
  fen: fc.oneof(fc.integer({ min: 0, max: 9_999 }), fc.constant(9_999_999_999)),
  packageType: fc.constantFrom('basic', 'premium'),
  tradeType: fc.constantFrom('JSAPI', 'NATIVE'),
  createdAt: INSTANT,
  paidAt: fc.option(INSTANT, { nil: null }),
  refunds: fc.array(
    fc.record({
      fen: fc.integer({ min: 1, max: 999 }),
      status: fc.constantFrom('success', 'pending', 'closed', 'abnormal'),
      refundedAt: INSTANT,
    }),
    { maxLength: 2 },
  ),
});

const yuan = (fen: number) => `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;
const dayOf = (at: Date) => new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(at);

async function insert(orders: readonly Order[]): Promise<void> {
  for (const table of ['refunds', 'refund_settlements', 'payment_orders'])
    await database.query(`DELETE FROM ${table}`);
  const numbered = orders.map((order, at) => ({ ...order, no: `1706345678901${at}` }));
  await database.query(
    'INSERT INTO payment_orders (id, user_id, generation_id, out_trade_no, amount, package_type, trade_type, status, created_at, paid_at) VALUES ?',
    [
      numbered.map((o) => [
        `order-${o.no}`,
        'user-1',
        'user-1',
        o.no,
        yuan(o.fen),
        o.packageType,
        o.tradeType,
        o.status,
        o.createdAt,
        o.paidAt,
      ]),
    ],
  );
  const refunds = numbered.flatMap(({ no, refunds }) =>
    refunds.map((refund, at) => ({ ...refund, no, refundNo: `R${no}-${at}` })),
  );
  if (refunds.length === 0) return;
  await database.query(
    'INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, status, refunded_at) VALUES ?',
    [refunds.map((r) => [r.refundNo, r.refundNo, r.no, yuan(r.fen), '0.00', r.status, r.refundedAt])],
  );
  await database.query(
    'INSERT INTO refund_settlements (out_refund_no, out_trade_no, origin, stage, status, refund_fen) VALUES ?',
    [refunds.map((r) => [r.refundNo, r.no, 'foreign', 'accepted', r.status, r.fen])],
  );
}

/** The same figures by another way: one order after the other, in whole fen. */
function expectedByKey(orders: readonly Order[], keyOf: (order: Order, at: Date) => string) {
  const lines = new Map<
    string,
    {
      created: number;
      createdPaid: number;
      paid: number;
      paidFen: bigint;
      refunded: number;
      refundedFen: bigint;
    }
  >();
  const line = (key: string) => {
    const found = lines.get(key) ?? {
      created: 0,
      createdPaid: 0,
      paid: 0,
      paidFen: 0n,
      refunded: 0,
      refundedFen: 0n,
    };
    lines.set(key, found);
    return found;
  };
  for (const order of orders) {
    const isPaid = order.status === 'paid' || order.status === 'refunded';
    const made = line(keyOf(order, order.createdAt));
    made.created += 1;
    if (isPaid) {
      made.createdPaid += 1;
      const paid = line(keyOf(order, order.paidAt ?? order.createdAt));
      paid.paid += 1;
      paid.paidFen += BigInt(order.fen);
    }
    for (const refund of order.refunds.filter(({ status }) => status === 'success')) {
      const refunded = line(keyOf(order, refund.refundedAt));
      refunded.refunded += 1;
      refunded.refundedFen += BigInt(refund.fen);
    }
  }
  return lines;
}

async function ask(query: string) {
  const answer = await viewer.get(`/statistics/daily?${query}`);
  expect([query, answer.status]).toEqual([query, 200]);
  return answer.body.data;
}

const figuresOf = (line: Line) => ({
  created: line.createdCount,
  createdPaid: line.createdPaidCount,
  paid: line.paidCount,
  paidFen: BigInt(line.paidFen),
  refunded: line.refundedCount,
  refundedFen: BigInt(line.refundedFen),
});

describe('GET /api/admin/statistics/daily', () => {
  it('is equal to the tables to the fen, also at the midnights of Shanghai', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(ORDER, { minLength: 1, maxLength: 40 }), async (orders) => {
        await insert(orders);
        const whole = 'from=2026-01-01&to=2026-01-31';
        const byAll = await ask(`${whole}&groupBy=day,package,tradeType`);
        const expected = expectedByKey(orders, (o, at) => `${dayOf(at)} ${o.packageType} ${o.tradeType}`);
        expect(
          new Map(byAll.lines.map((l: Line) => [`${l.day} ${l.packageType} ${l.tradeType}`, figuresOf(l)])),
        ).toEqual(expected);
        const byDay = await ask(whole);
        const expectedDays = expectedByKey(orders, (_, at) => dayOf(at));
        const busy = byDay.lines.filter((l: Line) => expectedDays.has(l.day));
        expect(new Map(busy.map((l: Line) => [l.day, figuresOf(l)]))).toEqual(expectedDays);
        const byPackage = await ask(`${whole}&groupBy=package`);
        const total = [...expectedByKey(orders, () => 'all').values()][0];
        for (const { total: given } of [byAll, byDay, byPackage]) expect(figuresOf(given)).toEqual(total);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });

  it('shows amounts in fen and in yuan, the net and the conversion, and days without orders', async () => {
    const at = (text: string) => new Date(text);
    const order = {
      packageType: 'premium',
      tradeType: 'JSAPI',
      createdAt: at('2026-01-10T15:59:59Z'),
      refunds: [],
    };
    await insert([
      {
        ...order,
        status: 'paid',
        fen: 2990,
        paidAt: at('2026-01-10T16:00:00Z'),
        refunds: [{ fen: 3000, status: 'success', refundedAt: at('2026-01-10T16:00:01Z') }],
      },
      { ...order, status: 'pending', fen: 1, paidAt: null },
      { ...order, status: 'failed', fen: 1, paidAt: null },
    ]);
    const data = await ask('from=2026-01-10&to=2026-01-12');
    expect(data.timeZone).toBe('Asia/Shanghai');
    expect(data.lines.map((line: Line) => line.day)).toEqual(['2026-01-10', '2026-01-11', '2026-01-12']);
    expect(data.lines[0]).toMatchObject({
      createdCount: 3,
      createdPaidCount: 1,
      conversionPercent: '33.33',
      paidCount: 0,
      netFen: '0',
    });
    expect(data.lines[1]).toMatchObject({
      createdCount: 0,
      conversionPercent: null,
      paidAmount: '29.90',
      refundedAmount: '30.00',
      netFen: '-10',
      netAmount: '-0.10',
    });
    expect(data.total).toMatchObject({ paidFen: '2990', refundedFen: '3000', conversionPercent: '33.33' });
  });

  it.each([
    ['from=2026-01-01', 'to'],
    ['from=2026-02-30&to=2026-03-01', 'from'],
    ['from=9999-12-30&to=9999-12-31', 'from'],
    ['from=2026-01-02&to=2026-01-01', 'to'],
    ['from=2025-01-01&to=2026-01-02', '366'],
    ['from=2026-01-01&to=2026-01-02&groupBy=user', 'groupBy'],
    ['from=2026-01-01T00:00:00Z&to=2026-01-02', 'from'],
  ])('refuses %s and names it', async (query, named) => {
    const answer = await viewer.get(`/statistics/daily?${query}`);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
    expect(answer.body.message).toContain(named);
  });

  it('reads ranges of the indexes on time', async () => {
    for (const [column, index] of [
      ['paid_at', 'idx_payment_orders_paid'],
      ['created_at', 'idx_payment_orders_created'],
    ]) {
      const plan = await database.query<{ possible_keys: string }>(
        `EXPLAIN FORMAT=TRADITIONAL SELECT COUNT(*) FROM payment_orders WHERE ${column} >= '2026-01-01' AND ${column} < '2026-02-01'`,
      );
      expect(plan[0]?.possible_keys).toContain(index);
    }
  });

  it('is refused with 503 and Retry-After while MySQL is away', async () => {
    await proxy.refuse();
    await until(
      async () => {
        const answer = await viewer.get('/statistics/daily?from=2026-01-01&to=2026-01-02');
        expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
        expect(answer.headers['retry-after']).toBeDefined();
      },
      { withinMs: 10_000, everyMs: 50 },
    );
    await proxy.pass();
    await backend.whenAvailable();
  });
});
