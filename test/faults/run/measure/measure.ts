import { setTimeout as sleep } from 'node:timers/promises';
import type { Heard } from '../recorder.ts';
import type { Replica } from '../replica.ts';
import type { World } from '../world.ts';
import { measureDrain, untilEmpty } from './drain.ts';
import { arrive, countBad, ms, percentile } from './figures.ts';
import type { Figure } from './figures.ts';
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

/** The promises about time, on an idle pair of replicas: one after the other, and nothing else runs. */
export async function measureAll(world: World, say: (text: string) => void): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const measure of [
    measureBoots, // first: the orders of the others are asked about from their 45th second on
    measureRefused,
    measureStalled,
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
    await untilEmpty(one);
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
    await untilEmpty(one);
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
