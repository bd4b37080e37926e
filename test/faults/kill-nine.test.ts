import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import { createTestDatabase, findMoneyFaults } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { killBackends, startBackend } from '../support/process.js';
import type { BackendProcess, Ending } from '../support/process.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/until.ts';

const PREMIUM_FEN = 2990;
const BASIC_FEN = 1;
const ORDERS_PER_USER = 4;
/** As many cloud functions as a busy shop has at once. */
const CALLERS = 16;
const ANSWERED_WITHIN_MS = 1_000;

const ORDERS_IN_DRAIN = 400;
/** The process is killed when so many are granted: before the first, and again as the rest goes on. */
const KILL_AT_GRANTS = [0, 1, 60, 150];

type Call = { path: 'order-created' | 'notify'; body: { outTradeNo: string } };

/** What a client learnt about its calls: an answer, or nothing, and then the call may or may not have counted. */
type Told = {
  answered: Set<Call>;
  unknown: Set<Call>;
  others: string[];
  slowestMs: number;
  overASecond: number;
};

let database: TestDatabase;
let proxy: TcpProxy;
let spoolDir: string;

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-kill-'));
});

afterEach(async () => {
  await killBackends();
  await proxy.close();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

const start = () => startBackend(database, { ...proxy.env, SPOOL_DIR: spoolDir, LOG_LEVEL: 'warn' });

/** Orders of which every user has a few, each with its notice; in the order in which the callers send them. */
function makeCalls(orders: number): Call[] {
  return Array.from({ length: orders }, (_, index) => {
    const user = Math.floor(index / ORDERS_PER_USER);
    const owner = { userId: `user-kill-${user}`, openid: `oKill${user}` };
    const packageType = index % 3 === 0 ? 'basic' : 'premium';
    const amount = packageType === 'basic' ? BASIC_FEN : PREMIUM_FEN;
    const order = orderCreatedBody({ ...owner, outTradeNo: newOutTradeNo(), packageType, amount });
    const notice = notifyBody(order, { packageType, openid: owner.openid });
    return [
      { path: 'order-created' as const, body: order },
      { path: 'notify' as const, body: notice },
    ];
  }).flat();
}

function nothingTold(): Told {
  return { answered: new Set(), unknown: new Set(), others: [], slowestMs: 0, overASecond: 0 };
}

async function sendOne(backend: BackendProcess, call: Call, told: Told): Promise<void> {
  try {
    const { status, text, durationMs } = await backend.post(call.path, call.body);
    told.slowestMs = Math.max(told.slowestMs, durationMs);
    if (durationMs > ANSWERED_WITHIN_MS) told.overASecond += 1;
    if (status === 200) told.answered.add(call);
    else told.others.push(`${status} ${text}`);
  } catch {
    told.unknown.add(call);
  }
}

/** Sends until all is sent or `isOver` says so; what was not begun stays in `calls`. */
async function send(backend: BackendProcess, calls: Call[], told: Told, isOver = () => false): Promise<void> {
  const caller = async () => {
    for (let call = isOver() ? undefined : calls.shift(); call; call = isOver() ? undefined : calls.shift()) {
      await sendOne(backend, call, told);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
}

async function countRows(sql: string): Promise<number> {
  const [row] = await database.query<{ n: string | number }>(sql);
  return Number(row?.n);
}

/** I1 and I2 for every call that was answered, and I3 to I5 over the whole database. */
async function expectAllSettled(calls: Iterable<Call>): Promise<void> {
  const orders = await database.query<{
    out_trade_no: string;
    fen: string | number;
    package_type: string;
    user_id: string;
    transaction_id: string;
    status: string;
  }>(
    'SELECT out_trade_no, CAST(amount * 100 AS SIGNED) AS fen, package_type, user_id, transaction_id, status FROM payment_orders',
  );
  const byNumber = new Map(orders.map((order) => [order.out_trade_no, order]));
  const wrong: string[] = [];
  for (const { path, body } of calls) {
    const order = byNumber.get(body.outTradeNo);
    const said = body as Record<string, unknown>;
    const holds =
      path === 'order-created'
        ? order &&
          Number(order.fen) === said.amount &&
          order.package_type === said.packageType &&
          order.user_id === said.userId
        : order?.status === 'paid' && order.transaction_id === said.transactionId;
    if (!holds) wrong.push(`${path} ${body.outTradeNo}: ${JSON.stringify(order)}`);
  }
  expect(wrong).toEqual([]);
  expect(await findMoneyFaults(database)).toEqual([]);
  expect(await countRows("SELECT COUNT(*) AS n FROM exceptions WHERE status = 'open'")).toBe(0);
}

describe('kill -9', () => {
  // Prevents the loss of acknowledged orders: the database is away, so the only copy of 2,000 promises is the disk.
  it('loses nothing of 1,000 orders and notices taken while the database was away', async () => {
    const first = await start();
    await first.whenReady();
    await proxy.refuse();
    const calls = makeCalls(1_000);
    const all = [...calls];
    const told = nothingTold();
    const half = all.length / 2;
    const ended: Promise<Ending>[] = [];
    const onTheirWay: Promise<void>[] = [];
    await send(first, calls, told, () => {
      if (told.answered.size >= half && ended.length === 0) {
        // In the middle of the others' requests, and with some just on their way: nobody gets these answers any more.
        onTheirWay.push(...calls.splice(0, CALLERS).map((call) => sendOne(first, call, told)));
        ended.push(first.end('SIGKILL'));
      }
      return ended.length > 0;
    });
    await Promise.all(onTheirWay);
    expect(await Promise.all(ended)).toEqual([{ code: null, signal: 'SIGKILL' }]);
    expect(told.unknown.size).toBeGreaterThan(0);

    const second = await start();
    await send(second, [...told.unknown, ...calls], told);
    console.log(
      `kill -9: ${told.answered.size} answered, ${told.unknown.size} unknown and sent again, slowest ${Math.round(told.slowestMs)} ms, ${told.overASecond} over a second`,
    );
    expect(told.others).toEqual([]);
    expect(told.answered.size).toBe(all.length);
    expect(told.overASecond).toBe(0);
    expect(await countRows('SELECT COUNT(*) AS n FROM payment_orders')).toBe(0);

    await proxy.pass();
    await second.whenDrained();
    expect(await countRows('SELECT COUNT(*) AS n FROM payment_orders')).toBe(1_000);
    expect(await countRows("SELECT COUNT(*) AS n FROM entitlement_grants WHERE entry = 'grant'")).toBe(1_000);
    await expectAllSettled(all);
  });

  // Prevents half-applied messages and double grants when the process dies while it empties the spool and the inbox.
  it('grants once whatever the moment at which the drain was killed', async () => {
    await proxy.refuse();
    let backend = await start();
    const calls = makeCalls(ORDERS_IN_DRAIN);
    const all = [...calls];
    const told = nothingTold();
    await send(backend, calls, told);
    expect(told.answered.size).toBe(all.length);
    await proxy.pass();
    const grantsAtKill: number[] = [];
    for (const grantsMin of KILL_AT_GRANTS) {
      await eventually(
        async () => expect(await countGrantsIfMigrated()).toBeGreaterThanOrEqual(grantsMin),
        5,
      );
      await backend.end('SIGKILL');
      grantsAtKill.push(await countGrantsIfMigrated());
      backend = await start();
    }
    await backend.whenDrained();
    console.log(
      `kill -9 during the drain, with so many of ${ORDERS_IN_DRAIN} granted: ${grantsAtKill.join(', ')}`,
    );
    expect(grantsAtKill[0]).toBeLessThan(ORDERS_IN_DRAIN);
    expect(await countRows('SELECT COUNT(*) AS n FROM payment_orders')).toBe(ORDERS_IN_DRAIN);
    await expectAllSettled(all);
  });
});

async function countGrantsIfMigrated(): Promise<number> {
  const there = await countRows(
    `SELECT COUNT(*) AS n FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'entitlement_grants'`,
  );
  return there === 0 ? 0 : countRows('SELECT COUNT(*) AS n FROM entitlement_grants');
}
