import { setTimeout as sleep } from 'node:timers/promises';
import type { Replica } from '../replica.ts';
import { query } from '../server.ts';
import type { World } from '../world.ts';
import { collectGarbage, countBad, ms, percentile, watchStolenTime } from './figures.ts';
import type { Figure } from './figures.ts';
import { LiveCaller } from './live-caller.ts';
import type { Call } from './live-caller.ts';

/** Each with the time before it beside it: what else the machine does changes from one minute to the next. */
const ROUNDS = 3;
const FLOOD = { orders: 5_000, callers: 64 };
/** Replicas that an outage meets have served payments before. */
const WARM_UP = { orders: 200, callers: 4 };
const WARM_UP_MS = 5_000;
const BEFORE_MS = 15_000;
const DRAIN_MS_MAX = 20_000;
const GIVEN_UP_MS = 180_000;
const LIVE = { perSecond: 50, users: 400 };
const LIVE_FACTOR_MAX = 2;
/** With more of its processors at other guests of its host, what was late is the machine. */
const STOLEN_SHARE_MAX = 0.02;

type Round = {
  readonly accepted: number;
  readonly emptyMs: number;
  readonly appliedMs: number;
  /** Orders of the outage whose users have what they paid for when all is applied. */
  readonly granted: number;
  /** Of the processors' time from before the drain to its end. */
  readonly stolenShare: number;
  readonly before: readonly Call[];
  readonly during: readonly Call[];
  readonly after: readonly Call[];
  /** Those and the ones between them: in the warm-up and during the outage. */
  readonly calls: readonly Call[];
};

/** One replica comes back from an outage with a full spool while the other one serves orders at a fixed rate. */
export async function measureDrain(world: World): Promise<Figure[]> {
  const [, other] = world.replicas;
  await untilEmpty(world.replicas[0]);
  const grantsBefore = await countGrants(world);
  for (const replica of world.replicas) await sell(world, replica, WARM_UP);
  await untilApplied(world, grantsBefore + world.replicas.length * WARM_UP.orders);
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    await forgetUnpaid(world);
    const caller = LiveCaller.start({
      url: other.url,
      secret: world.shop.internalSecret,
      numbersFrom: Date.now(),
      ...LIVE,
    });
    rounds.push(await measureRound(world, caller));
  }
  const slowest = Math.max(...rounds.map(({ emptyMs }) => emptyMs));
  const factors = rounds
    .filter((round) => isJudged(round))
    .map(({ before, during }) => percentile(during, 0.99) / percentile(before, 0.99));
  const calls = rounds.flatMap((round) => round.calls);
  const bad = countBad(calls);
  const isKept = factors.length === 0 ? null : medianOf(factors) < LIVE_FACTOR_MAX;
  return [
    {
      what: `drain of ${2 * FLOOD.orders} messages out of a spool, slowest of ${ROUNDS}`,
      goal: `at most ${DRAIN_MS_MAX} ms`,
      seen: `the spool empty after ${rounds.map((round) => ms(round.emptyMs)).join(', ')}, everything applied after ${rounds.map((round) => ms(round.appliedMs)).join(', ')}, ${rounds.map(({ granted }) => granted).join(', ')} orders granted`,
      holds: slowest <= DRAIN_MS_MAX && rounds.every((round) => isComplete(round)),
    },
    {
      what: 'live traffic beside the drain, p99, median of the rounds with the processors to itself',
      goal: `under ${LIVE_FACTOR_MAX} times that before`,
      seen: `${rounds.map((round) => seenOf(round)).join('; ')}; ${bad} of ${calls.length} not answered with 200`,
      holds: bad > 0 ? false : isKept,
    },
  ];
}

async function measureRound(world: World, caller: LiveCaller): Promise<Round> {
  const [one] = world.replicas;
  await sleep(WARM_UP_MS);
  collectGarbage();
  const stolen = watchStolenTime();
  const beforeMs = Date.now();
  await sleep(BEFORE_MS);
  const grantsBefore = await countGrants(world);
  const floodMs = Date.now();
  await one.proxy.refuse();
  const accepted = await sell(world, one, FLOOD);
  collectGarbage();
  const drainMs = Date.now();
  await one.proxy.pass();
  const emptyMs = await untilEmpty(one);
  const emptiedMs = Date.now();
  const stolenShare = stolen();
  const appliedMs = emptyMs + (await untilApplied(world, grantsBefore + FLOOD.orders));
  const granted = (await countGrants(world)) - grantsBefore;
  const calls = await caller.stop();
  const within = (fromMs: number, toMs: number) =>
    calls.filter(({ calledAtMs }) => calledAtMs >= fromMs && calledAtMs < toMs);
  return {
    accepted,
    emptyMs,
    appliedMs,
    granted,
    stolenShare,
    before: within(beforeMs, floodMs),
    during: within(drainMs, emptiedMs),
    after: within(emptiedMs, Infinity),
    calls,
  };
}

/** @returns how many of the messages, two for each order, were taken */
async function sell(
  world: World,
  to: Replica,
  { orders, callers }: { orders: number; callers: number },
): Promise<number> {
  let left = orders;
  let accepted = 0;
  const caller = async () => {
    for (; left > 0;) {
      left -= 1;
      const sale = world.shop.open('premium', left % LIVE.users);
      const payment = world.shop.pay(sale);
      const heard = [await world.shop.orderCreated(sale, to), await world.shop.notify(sale, payment, to)];
      accepted += heard.length - countBad(heard);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return accepted;
}

/** @returns milliseconds; `Infinity` when it was given up */
export async function untilEmpty(replica: Replica): Promise<number> {
  return until(async () => (await replica.health())?.spool.depth === 0);
}

/** Nothing of it waits, and what was paid is given: a notice that waited too long is set aside before its question is answered. */
async function untilApplied(world: World, grants: number): Promise<number> {
  return until(async () => {
    const [row] = await query<{ n: number | string }>(
      world.root,
      "SELECT COUNT(*) AS n FROM inbox_messages WHERE status = 'pending'",
    );
    return Number(row?.n) === 0 && (await countGrants(world)) >= grants;
  });
}

async function until(isReached: () => Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < GIVEN_UP_MS) {
    if (await isReached()) return performance.now() - startedMs;
    await sleep(100);
  }
  return Infinity;
}

function isComplete({ accepted, appliedMs, granted }: Round): boolean {
  return accepted === 2 * FLOOD.orders && Number.isFinite(appliedMs) && granted === FLOOD.orders;
}

async function countGrants({ root }: World): Promise<number> {
  const [row] = await query<{ n: number | string }>(
    root,
    "SELECT COUNT(*) AS n FROM entitlement_grants WHERE entry = 'grant'",
  );
  return Number(row?.n);
}

/** The live orders are never paid: asked about from their 45th second on, they would be a load of the next round. */
async function forgetUnpaid({ root }: World): Promise<void> {
  await query(root, "UPDATE payment_orders SET status = 'failed' WHERE status = 'pending'");
  await query(root, 'DELETE FROM order_queries');
}

function isJudged({ stolenShare }: Round): boolean {
  return stolenShare <= STOLEN_SHARE_MAX;
}

function seenOf(round: Round): string {
  const { before, during, after, stolenShare } = round;
  const [was, is] = [percentile(before, 0.99), percentile(during, 0.99)];
  const medians = `p50 ${ms(percentile(during, 0.5))} instead of ${ms(percentile(before, 0.5))}`;
  const afterwards = `${ms(percentile(after, 0.99))} until all was applied`;
  const stolen = `${(100 * stolenShare).toFixed(1)} % of the processors with other guests`;
  const seen = `${ms(is)} instead of ${ms(was)} (× ${(is / was).toFixed(1)}, ${medians}, ${afterwards}, ${stolen})`;
  return isJudged(round) ? seen : `not judged: ${seen}`;
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
