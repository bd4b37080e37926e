import { setTimeout as sleep } from 'node:timers/promises';
import type { Heard } from '../recorder.ts';
import type { Replica } from '../replica.ts';
import { query } from '../server.ts';
import type { World } from '../world.ts';
import { arrive, countBad, ms, percentile } from './figures.ts';
import type { Figure } from './figures.ts';
import { LiveCaller } from './live-caller.ts';
import { measureRollingRestarts } from './rolling.ts';

const BREAKER_OPEN_MS = 2_000;
const REFUSED_PER_SECOND = 100;
const REFUSED_REQUESTS = 1_000;
const REFUSED_P99_MS_MAX = 50;
const STALLED_PER_SECOND = 50;
const STALLED_REQUESTS = 400;
const STALLED_MS_MAX = 2_000;
const BOOTS = 3;
const BOOT_MS_MAX = 3_000;
const FLOOD_ORDERS = 5_000;
const FLOOD_CALLERS = 64;
const DRAIN_MS_MAX = 20_000;
const DRAIN_GIVEN_UP_MS = 180_000;
const LIVE_PER_SECOND = 50;
const LIVE_USERS = 400;
const WARM_UP_MS = 5_000;
const BEFORE_MS = 15_000;
const LIVE_FACTOR_MAX = 2;

/** The promises about time, on an idle pair of replicas: one after the other, and nothing else runs. */
export async function measureAll(world: World, say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measure of [
    measureRefused,
    measureStalled,
    measureBoots,
    measureDrain,
    measureRollingRestarts,
  ]) {
    for (const figure of await measure(world)) {
      say(`${figure.what}: ${figure.seen} (${figure.goal})`);
      figures.push(figure);
    }
  }
  return figures;
}

function orderTo(world: World, to: Replica): () => Promise<Heard> {
  let user = 0;
  return () => world.shop.orderCreated(world.shop.open('premium', (user += 1) % 400), to);
}

async function measureRefused(world: World): Promise<Figure[]> {
  const [one] = world.replicas;
  const send = orderTo(world, one);
  await one.proxy.refuse();
  try {
    await send();
    await sleep(BREAKER_OPEN_MS);
    const heard = await arrive(REFUSED_PER_SECOND, (sent) => sent >= REFUSED_REQUESTS, send);
    const p99 = percentile(heard, 0.99);
    const bad = countBad(heard);
    return [
      {
        what: 'MySQL refused: order-created, p99',
        goal: `at most ${REFUSED_P99_MS_MAX} ms`,
        seen: `p50 ${ms(percentile(heard, 0.5))}, p99 ${ms(p99)}, ${bad} of ${heard.length} not answered with 200`,
        holds: p99 <= REFUSED_P99_MS_MAX && bad === 0,
      },
    ];
  } finally {
    await one.proxy.pass();
    await untilDrained(one, DRAIN_GIVEN_UP_MS);
  }
}

async function measureStalled(world: World): Promise<Figure[]> {
  const [one] = world.replicas;
  const send = orderTo(world, one);
  world.server.freeze();
  try {
    const heard = await arrive(STALLED_PER_SECOND, (sent) => sent >= STALLED_REQUESTS, send);
    const worst = percentile(heard, 1);
    const bad = countBad(heard);
    return [
      {
        what: 'MySQL stalled: order-created, slowest',
        goal: `at most ${STALLED_MS_MAX} ms`,
        seen: `p50 ${ms(percentile(heard, 0.5))}, slowest ${ms(worst)}, ${bad} of ${heard.length} not answered with 200`,
        holds: worst <= STALLED_MS_MAX && bad === 0,
      },
    ];
  } finally {
    world.server.thaw();
    await untilDrained(one, DRAIN_GIVEN_UP_MS);
  }
}

async function measureBoots(world: World): Promise<Figure[]> {
  const [one] = world.replicas;
  await one.proxy.refuse();
  const boots: number[] = [];
  for (let boot = 0; boot < BOOTS; boot += 1) {
    await one.terminate();
    await one.start();
    boots.push(one.bootsMs.at(-1) ?? NaN);
  }
  await one.proxy.pass();
  return [
    {
      what: 'boot with MySQL away, slowest',
      goal: `at most ${BOOT_MS_MAX} ms`,
      seen: boots.map(ms).join(', '),
      holds: Math.max(...boots) <= BOOT_MS_MAX,
    },
  ];
}

async function measureDrain(world: World): Promise<Figure[]> {
  const [one, other] = world.replicas;
  const caller = LiveCaller.start({
    url: other.url,
    secret: world.shop.internalSecret,
    perSecond: LIVE_PER_SECOND,
    users: LIVE_USERS,
    numbersFrom: Date.now(),
  });
  await sleep(WARM_UP_MS);
  const before = { fromMs: Date.now(), toMs: Date.now() + BEFORE_MS };
  await sleep(BEFORE_MS);
  await one.proxy.refuse();
  const accepted = await flood(world, one);
  const drainedFromMs = Date.now();
  await one.proxy.pass();
  const tookMs = await untilDrained(one, DRAIN_GIVEN_UP_MS);
  const during = { fromMs: drainedFromMs, toMs: Date.now() };
  const appliedMs = tookMs + (await untilApplied(world));
  const calls = await caller.stop();
  const within = ({ fromMs, toMs }: { fromMs: number; toMs: number }) =>
    calls.filter(({ calledAtMs }) => calledAtMs >= fromMs && calledAtMs < toMs);
  const [p99Before, p99During] = [percentile(within(before), 0.99), percentile(within(during), 0.99)];
  const bad = countBad(calls);
  return [
    {
      what: `drain of ${accepted} messages out of a spool`,
      goal: `at most ${DRAIN_MS_MAX} ms for ${2 * FLOOD_ORDERS}`,
      seen: `the spool empty after ${ms(tookMs)}, everything applied after ${ms(appliedMs)}`,
      holds: tookMs <= DRAIN_MS_MAX && accepted === 2 * FLOOD_ORDERS,
    },
    {
      what: 'live traffic beside the drain, p99',
      goal: `under ${LIVE_FACTOR_MAX} times that before`,
      seen: `${ms(p99During)} instead of ${ms(p99Before)}, p50 ${ms(percentile(within(during), 0.5))} instead of ${ms(percentile(within(before), 0.5))}, ${bad} of ${calls.length} not answered with 200`,
      holds: p99During < LIVE_FACTOR_MAX * p99Before && bad === 0,
    },
  ];
}

/** @returns how many messages were taken */
async function flood(world: World, to: Replica): Promise<number> {
  let left = FLOOD_ORDERS;
  let accepted = 0;
  const caller = async () => {
    for (; left > 0;) {
      left -= 1;
      const sale = world.shop.open('premium', left % 400);
      const payment = world.shop.pay(sale);
      const heard = [await world.shop.orderCreated(sale, to), await world.shop.notify(sale, payment, to)];
      accepted += heard.length - countBad(heard);
    }
  };
  await Promise.all(Array.from({ length: FLOOD_CALLERS }, caller));
  return accepted;
}

async function untilDrained(replica: Replica, withinMs: number): Promise<number> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < withinMs) {
    if ((await replica.health())?.spool.depth === 0) return performance.now() - startedMs;
    await sleep(100);
  }
  return Infinity;
}

async function untilApplied({ root }: World): Promise<number> {
  const startedMs = performance.now();
  while (performance.now() - startedMs < DRAIN_GIVEN_UP_MS) {
    const [row] = await query<{ n: number | string }>(
      root,
      "SELECT COUNT(*) AS n FROM inbox_messages WHERE status = 'pending'",
    );
    if (Number(row?.n) === 0) return performance.now() - startedMs;
    await sleep(200);
  }
  return Infinity;
}
