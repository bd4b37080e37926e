import { setTimeout as sleep } from 'node:timers/promises';
import { isPaid, statusOf } from '../../support/wechatpay-simulator/ledger.ts';
import { query } from './server.ts';
import type { World } from './world.ts';

const REST_WITHIN_MS = 150_000;
/** How long a job belongs to a process that was killed (docs/architecture.md, "When something dies"). */
const LEASE_MS = 10_000;
const LOOK_EVERY_MS = 500;
const HURRY_EVERY_MS = 4_000;
/** Within this time a row that a function turned to paid must be granted, by the sweeps alone (I15). */
const PICK_UP_MS = 10_000;
/** What is at rest once must still be at rest a little later. */
const STILL_FOR_MS = 2_000;

type Count = { readonly n: number | string };

/** What an item that is not at rest is called, and how it is counted. */
const OPEN: readonly (readonly [string, string])[] = [
  ['refunds under way', "SELECT COUNT(*) AS n FROM refund_settlements WHERE status = 'pending'"],
  [
    'paid orders without a grant and without an exception',
    `SELECT COUNT(*) AS n FROM payment_orders o
      WHERE o.status = 'paid' AND NOT EXISTS (SELECT 1 FROM entitlement_grants g WHERE g.out_trade_no = o.out_trade_no)
        AND NOT EXISTS (SELECT 1 FROM exceptions e WHERE e.subject = o.out_trade_no AND e.status = 'open')`,
  ],
  ['notices to tell', "SELECT COUNT(*) AS n FROM outbox_messages WHERE status = 'pending'"],
];

/** Ends every fault; from here on nothing fails any more. */
export async function heal(world: World): Promise<void> {
  world.simulator.faults.clear();
  world.standIn.heal();
  await Promise.all(world.replicas.map((replica) => replica.proxy.pass()));
  for (const replica of world.replicas) if (!replica.isUp) await replica.start();
  // The sweeps of a process that was killed belong to nobody until its lease is over: so long the fault goes on.
  if (world.replicas.some(({ killsByKind }) => Object.keys(killsByKind).length > 0)) await sleep(LEASE_MS);
}

/**
 * Waits until nothing is left to do; what does not come to rest is a finding. @returns how long it took
 * @param healedAtMs what must happen by itself soon after is not hurried
 */
export async function untilQuiet(
  world: World,
  healedAtMs: number,
  restWithinMs = REST_WITHIN_MS,
): Promise<number> {
  const startedMs = performance.now();
  let hurryAtMs = healedAtMs + PICK_UP_MS;
  let left: string[] = ['not looked yet'];
  let stillSinceMs: number | null = null;
  while (performance.now() - startedMs < restWithinMs) {
    if (Date.now() >= hurryAtMs) {
      await hurry(world);
      hurryAtMs = Date.now() + HURRY_EVERY_MS;
    }
    left = await findOpen(world);
    if (left.length > 0) stillSinceMs = null;
    else stillSinceMs ??= performance.now();
    if (stillSinceMs !== null && performance.now() - stillSinceMs >= STILL_FOR_MS)
      return performance.now() - startedMs;
    await sleep(LOOK_EVERY_MS);
  }
  world.find(`it did not come to rest within ${restWithinMs / 1000} s: ${left.join('; ')}`);
  return performance.now() - startedMs;
}

/** What the minutes of the schedules would do: everything that waits for its time is due. */
async function hurry({ root }: World): Promise<void> {
  await tryAgainLater(() =>
    query(
      root,
      "UPDATE inbox_messages SET available_at = NOW(3) WHERE status = 'pending' AND available_at > NOW(3)",
    ),
  );
  await tryAgainLater(() =>
    query(
      root,
      `UPDATE refund_settlements SET sent_at = sent_at - INTERVAL 2 MINUTE, due_at = IF(due_at IS NULL, NULL, NOW(3))
        WHERE status = 'pending' OR due_at IS NOT NULL`,
    ),
  );
  await tryAgainLater(() => query(root, 'UPDATE order_queries SET due_at = NOW(3) WHERE due_at > NOW(3)'));
}

/** It may lose a deadlock against the backend: the next one comes in a moment. */
async function tryAgainLater(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error)) throw error;
  }
}

async function findOpen(world: World): Promise<string[]> {
  const counted = await Promise.all(
    OPEN.map(async ([what, sql]) => {
      const [row] = await query<Count>(world.root, sql);
      return Number(row?.n) > 0 ? [`${Number(row?.n)} ${what}`] : [];
    }),
  );
  const depths = await Promise.all(
    world.replicas.map(async (replica) => {
      const health = await replica.health();
      const depth = health?.spool.depth;
      return depth === 0 ? [] : [`${depth ?? 'unknown'} messages in the spool of ${replica.name}`];
    }),
  );
  return [
    ...counted.flat(),
    ...depths.flat(),
    ...(await findWaitingMessages(world)),
    ...(await findUnpaidByMistake(world)),
  ];
}

/** A notice of money that WeChat Pay does not have is at rest: it waits until the time of its order is over. */
async function findWaitingMessages({ root, simulator }: World): Promise<string[]> {
  const rows = await query<{ topic: string; no: string }>(
    root,
    "SELECT topic, out_trade_no AS no FROM inbox_messages WHERE status = 'pending'",
  );
  const waiting = rows.filter(({ topic, no }) => {
    const order = simulator.ledger.findOrder(no);
    return topic !== 'payment_notified' || !order || isPaid(order);
  });
  return waiting.length > 0 ? [`${waiting.length} messages in the inbox, as of ${waiting[0]?.no}`] : [];
}

/** Paid at WeChat Pay, and the row that is there does not know it. */
async function findUnpaidByMistake({ root, simulator }: World): Promise<string[]> {
  const rows = await query<{ no: string }>(
    root,
    "SELECT out_trade_no AS no FROM payment_orders WHERE status IN ('pending', 'failed')",
  );
  const behind = rows.filter(({ no }) => {
    const order = simulator.ledger.findOrder(no);
    return order && isPaid(order);
  });
  const moving = simulator.ledger.refunds.filter((refund) => statusOf(refund) === 'PROCESSING');
  return [
    ...(behind.length > 0
      ? [`${behind.length} orders that are paid at WeChat Pay, as ${behind[0]?.no}`]
      : []),
    ...(moving.length > 0 ? [`${moving.length} refunds moving at WeChat Pay`] : []),
  ];
}
