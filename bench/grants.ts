import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { rows } from './database.ts';
import { say, Trouble } from './library.ts';
import { orderAt } from './orders.ts';

/** Fine enough for a wait of many seconds, and no load worth mentioning. */
const POLL_MS = 50;
const PROGRESS_EVERY_MS = 10_000;
/** Without progress for this long, the rest will not be granted either. */
const STANDSTILL_MS = 60_000;

/**
 * Waits until the backend has applied every message it stored.
 * @returns when that was seen, on the clock of `performance.now()`
 * @throws {Trouble} when it stands still
 */
export async function untilApplied(connection: Connection, database: string): Promise<number> {
  const isPending = `SELECT 1 FROM \`${database}\`.inbox_messages WHERE status = 'pending' LIMIT 1`;
  const progress = { pending: Number.POSITIVE_INFINITY, atMs: performance.now() };
  let toldMs = performance.now();
  for (;;) {
    const left = await rows(connection, isPending);
    const nowMs = performance.now();
    if (left.length === 0) return nowMs;
    if (nowMs - toldMs >= PROGRESS_EVERY_MS) {
      toldMs = nowMs;
      const pending = await countPending(connection, database);
      say(`    … ${new Intl.NumberFormat('en').format(pending)} accepted notices wait for their grant`);
      if (pending < progress.pending) Object.assign(progress, { pending, atMs: nowMs });
      if (nowMs - progress.atMs > STANDSTILL_MS)
        throw new Trouble('The backend stopped applying its messages.');
    }
    await sleep(POLL_MS);
  }
}

export async function countRows(connection: Connection, database: string, table: string): Promise<number> {
  const [row] = await rows<{ n: number }>(connection, `SELECT COUNT(*) AS n FROM \`${database}\`.${table}`);
  return Number(row?.n ?? 0);
}

/**
 * What is wrong in the tables after all was applied: every order whose notice was answered with success must be
 * paid, be granted once, and have a user with its package.
 */
export async function findUngranted(
  connection: Connection,
  database: string,
  acknowledged: readonly number[],
): Promise<string[]> {
  const found = await rows<{ no: string }>(
    connection,
    `SELECT g.out_trade_no AS no FROM \`${database}\`.entitlement_grants g
       JOIN \`${database}\`.payment_orders o ON o.out_trade_no = g.out_trade_no AND o.status = 'paid'
       JOIN \`${database}\`.users u ON u.id = g.user_id AND u.payment_status = o.package_type
      WHERE g.package_type = o.package_type`,
  );
  const granted = new Set(found.map(({ no }) => no));
  const problems: string[] = [];
  if (granted.size !== found.length)
    problems.push(`${found.length - granted.size} orders were granted twice`);
  const missing = acknowledged.filter((index) => !granted.has(orderAt(index).outTradeNo));
  if (missing.length > 0) {
    problems.push(`${missing.length} of ${acknowledged.length} accepted notices have no grant`);
  }
  return problems;
}

async function countPending(connection: Connection, database: string): Promise<number> {
  const [row] = await rows<{ n: number }>(
    connection,
    `SELECT COUNT(*) AS n FROM \`${database}\`.inbox_messages WHERE status = 'pending'`,
  );
  return Number(row?.n ?? 0);
}
