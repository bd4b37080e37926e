import { createHash } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from 'mysql2/promise';
import type { Connection, Pool } from 'mysql2/promise';
import { INTERNAL_SECRET, makeSpoolDir, startOurs, startOursWithoutDatabase } from './contenders.ts';
import { rows } from './database.ts';
import { countRows } from './grants.ts';
import type { Lab } from './lab.ts';
import { Trouble } from './library.ts';
import { applyLoad } from './load.ts';
import { lineOf } from './measurement.ts';
import type { Measurement, Work } from './measurement.ts';
import { notifyBody, orderAt } from './orders.ts';
import { grantPaid, syncOrder } from './peer-transactions.ts';
import { seedOrders } from './seed.ts';
import { ORDER_CREATED, readReadiness, withServer } from './works.ts';
import type { Range } from './works.ts';

/*
 * What waits in the tables or in the spool, worked off by the built backend and by one transaction for each order on ten
 * connections, one after the other on the same durable server. Nothing else comes in meanwhile.
 */

const PEER_CONNECTIONS = 10;
const ROWS_PER_STATEMENT = 1_000;
const POLL_MS = 20;
const STANDSTILL_MS = 120_000;
const SPOOL_CONNECTIONS = 64;
const SPOOL_SECONDS_MAX = 120;
const PAID_PER_SECOND = 200;
const PAID_FOR_SECONDS = 15;

export type Site = { readonly peer: string; readonly ours: string };

/** One transaction for each order, without the way through HTTP. */
export async function measurePeerBacklogs(lab: Lab, { peer }: Site, orders: Range): Promise<void> {
  const pool = createPool({ ...lab.database.address, database: peer, connectionLimit: PEER_CONNECTIONS });
  try {
    const synced = secondOf(orders);
    await measurePeer(lab, 'order-created, synced', synced, (index) => syncOrder(pool, orderAt(index)));
    await seedOrders(lab.database.connection, peer, orders);
    await turnPaid(pool, orders);
    const grant = (index: number) => grantPaid(pool, orderAt(index).outTradeNo);
    await measurePeer(lab, 'rows turned paid, granted', orders, grant);
  } finally {
    await pool.end();
  }
}

async function measurePeer(
  lab: Lab,
  work: Work,
  range: Range,
  one: (index: number) => Promise<void>,
): Promise<void> {
  lab.step(`${work}: textbook peer`);
  const indexes = Array.from({ length: range.count }, (_, offset) => range.firstIndex + offset);
  const startedMs = performance.now();
  const lane = async () => {
    for (let index = indexes.pop(); index !== undefined; index = indexes.pop()) await one(index);
  };
  await Promise.all(Array.from({ length: PEER_CONNECTIONS }, lane));
  const perSecond = (range.count / (performance.now() - startedMs)) * 1000;
  lab.record(lineOf({ work, contender: 'textbook peer', connections: null, perSecond }));
}

/** Rows that turned paid without a notice, and kept notices; these by one replica and by two. */
export async function measureOurBacklogs(lab: Lab, { ours }: Site, orders: Range): Promise<void> {
  const { connection } = lab.database;
  const drained = 'notices kept, fulfilled';
  const [swept, alone, together] = thirdsOf(orders);
  await seedOrders(connection, ours, orders);
  await turnPaid(connection, swept, ours);
  await measureUntilGranted(lab, ours, { work: 'rows turned paid, granted', contender: 'ours' });
  await seedMessages(connection, ours, alone);
  await measureUntilGranted(lab, ours, { work: drained, contender: 'ours' });
  await seedMessages(connection, ours, together);
  await measureUntilGranted(lab, ours, { work: drained, contender: 'ours, two replicas' });
}

/** From the moment that the backend is ready until every order of the range has its grant. */
async function measureUntilGranted(
  lab: Lab,
  database: string,
  about: Pick<Measurement, 'work' | 'contender'>,
): Promise<void> {
  const { connection, address } = lab.database;
  lab.step(`${about.work}: ${about.contender}`);
  const count = () => countRows(connection, database, 'entitlement_grants');
  const target = (await count()) + (await countWaiting(connection, database));
  const replicas = about.contender === 'ours, two replicas' ? 2 : 1;
  const servers = await Promise.all(
    Array.from({ length: replicas }, () => startOurs(lab.workDir, address, database)),
  );
  try {
    const startedMs = performance.now();
    const before = await count();
    await untilTrue(async () => (await count()) >= target, about.work);
    const perSecond = ((target - before) / (performance.now() - startedMs)) * 1000;
    lab.record(lineOf({ ...about, connections: null, perSecond }));
  } finally {
    for (const server of servers) await server.stop();
  }
}

/** Orders without a grant that should have one: their rows, or kept notices of them, say that they are paid. */
async function countWaiting(connection: Connection, database: string): Promise<number> {
  const [row] = await rows<{ n: number }>(
    connection,
    `SELECT (SELECT COUNT(*) FROM \`${database}\`.inbox_messages WHERE status = 'pending')
          + (SELECT COUNT(*) FROM \`${database}\`.payment_orders o
              WHERE o.status = 'paid' AND NOT EXISTS
                (SELECT 1 FROM \`${database}\`.entitlement_grants g WHERE g.out_trade_no = o.out_trade_no)) AS n`,
  );
  return Number(row?.n ?? 0);
}

/** Rows that turn paid one after the other, and how long each of them waits for its grant. */
export async function measurePickUp(lab: Lab, { ours }: Site, firstIndex: number): Promise<void> {
  const work = 'rows turned paid at 200/s';
  const { connection, address } = lab.database;
  const count = PAID_PER_SECOND * PAID_FOR_SECONDS;
  await seedOrders(connection, ours, { firstIndex, count });
  const writers = createPool({ ...address, database: ours, connectionLimit: PEER_CONNECTIONS });
  await withServer(startOurs(lab.workDir, address, ours), async () => {
    lab.step(`${work}: ours`);
    const committedMs = new Map<string, number>();
    const waitedMs: number[] = [];
    let lastId = await lastGrant(connection, ours);
    const writing = writeAtRate(count, async (at) => {
      await turnPaid(writers, { firstIndex: firstIndex + at, count: 1 });
      committedMs.set(orderAt(firstIndex + at).outTradeNo, performance.now());
    });
    const seen = new Map<string, number>();
    await untilTrue(async () => {
      const grants = await rows<{ id: number; no: string }>(
        connection,
        `SELECT id, out_trade_no AS no FROM \`${ours}\`.entitlement_grants WHERE id > ? ORDER BY id`,
        [lastId],
      );
      for (const { id, no } of grants) {
        seen.set(no, performance.now());
        lastId = id;
      }
      return seen.size >= count;
    }, work);
    await writing;
    for (const [no, atMs] of seen) waitedMs.push(Math.max(0, atMs - (committedMs.get(no) ?? atMs)));
    const sorted = waitedMs.sort((a, b) => a - b);
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? null;
    const figures = { perSecond: PAID_PER_SECOND, p50Ms: at(0.5), p99Ms: at(0.99) };
    lab.record(lineOf({ work, contender: 'ours', connections: null, ...figures }));
  });
  await writers.end();
}

async function lastGrant(connection: Connection, database: string): Promise<number> {
  const [row] = await rows<{ id: number }>(
    connection,
    `SELECT COALESCE(MAX(id), 0) AS id FROM \`${database}\`.entitlement_grants`,
  );
  return Number(row?.id ?? 0);
}

async function writeAtRate(count: number, write: (at: number) => Promise<void>): Promise<void> {
  const startedMs = performance.now();
  const writes: Promise<void>[] = [];
  while (writes.length < count) {
    const due = Math.min(count, ((performance.now() - startedMs) / 1000) * PAID_PER_SECOND);
    while (writes.length < due) writes.push(write(writes.length));
    await sleep(5);
  }
  await Promise.all(writes);
}

/** What an outage left in the spool, from the moment that the database is there again until the spool is empty. */
export async function measureSpoolDrained(lab: Lab, { ours }: Site, orders: Range): Promise<void> {
  const work = 'spool, drained';
  const spoolDir = makeSpoolDir(lab.workDir);
  lab.step(`${work}: taking ${orders.count} orders`);
  const target = { ...ORDER_CREATED, secret: INTERNAL_SECRET };
  const load = { connections: SPOOL_CONNECTIONS, seconds: SPOOL_SECONDS_MAX };
  const { firstIndex, count: requestsMax } = orders;
  await withServer(startOursWithoutDatabase(lab.workDir, spoolDir), ({ port }) =>
    applyLoad(target, { ...load, port, firstIndex, requestsMax }),
  );
  lab.step(`${work}: ours`);
  await withServer(startOurs(lab.workDir, lab.database.address, ours, spoolDir), async (server) => {
    const depth = async () => (await readReadiness(server))?.spool?.depth ?? Number.POSITIVE_INFINITY;
    const startedMs = performance.now();
    const before = await depth();
    await untilTrue(async () => (await depth()) === 0, work);
    const tookMs = performance.now() - startedMs;
    const perSecond = (before / tookMs) * 1000;
    lab.record(lineOf({ work, contender: 'ours', connections: null, perSecond, p50Ms: tookMs }));
    if (before < orders.count / 2)
      lab.reportError({ work, contender: 'ours', connections: null }, `only ${before} were left when ready`);
  });
}

async function untilTrue(isTrue: () => Promise<boolean>, what: string): Promise<void> {
  const startedMs = performance.now();
  while (!(await isTrue())) {
    if (performance.now() - startedMs > STANDSTILL_MS) throw new Trouble(`${what}: it stands still.`);
    await sleep(POLL_MS);
  }
}

/** Rows as the cloud functions write them, without a notice. */
async function turnPaid(
  on: Connection | Pool,
  { firstIndex, count }: Range,
  database?: string,
): Promise<void> {
  const end = firstIndex + count;
  const table = database === undefined ? 'payment_orders' : `\`${database}\`.payment_orders`;
  for (let first = firstIndex; first < end; first += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, end - first);
    const ids = Array.from({ length }, (_, offset) => orderAt(first + offset).id);
    await on.query(
      `UPDATE ${table}
          SET status = 'paid', paid_at = NOW(), transaction_id = CONCAT('4200', out_trade_no) WHERE id IN (?)`,
      [ids],
    );
  }
}

async function seedMessages(
  connection: Connection,
  database: string,
  { firstIndex, count }: Range,
): Promise<void> {
  const topic = 'payment_notified';
  const end = firstIndex + count;
  for (let first = firstIndex; first < end; first += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, end - first);
    const values = Array.from({ length }, (_, offset) => {
      const index = first + offset;
      const key = createHash('sha256').update(`${topic} ${index}`).digest('hex');
      return [topic, key, orderAt(index).outTradeNo, notifyBody(index), new Date()];
    });
    await connection.query(
      `INSERT INTO \`${database}\`.inbox_messages (topic, dedupe_key, out_trade_no, payload, received_at) VALUES ?`,
      [values],
    );
  }
}

function secondOf({ firstIndex, count }: Range): Range {
  return { firstIndex: firstIndex + count, count };
}

function thirdsOf({ firstIndex, count }: Range): [Range, Range, Range] {
  const third = Math.floor(count / 3);
  const part = (at: number) => ({ firstIndex: firstIndex + at * third, count: third });
  return [part(0), part(1), part(2)];
}
