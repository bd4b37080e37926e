import { setTimeout as sleep } from 'node:timers/promises';
import type { PlacedOrder } from './function-habits.ts';
import type { Random } from '../../test/support/random.ts';
import {
  backedUp,
  callbackWriteFailed,
  clientChosenAmount,
  customAmount,
  impossibleAmount,
  legacyUser,
  nativeWithoutOpenid,
  neverPaid,
  notifyBeforeOrder,
  notifyLost,
  oddSpelling,
  ownerlessKnownPayer,
  ownerlessNoPayer,
  plainJsapi,
  rescuedAndBackedUpLate,
  rescuedWithAmount,
  rescuedWithoutAmount,
  rowAlthoughBackedUp,
  twoCallbacks,
} from './scenarios.ts';
import type { Scenario } from './scenarios.ts';
import type { Story } from './story.ts';
import type { World } from './world.ts';

/** Mostly what most days bring; every odd case often enough to be there in 200 orders. */
const MIX: readonly { readonly weight: number; readonly scenario: Scenario }[] = [
  { weight: 20, scenario: plainJsapi },
  { weight: 10, scenario: nativeWithoutOpenid },
  { weight: 12, scenario: backedUp() },
  { weight: 6, scenario: oddSpelling },
  { weight: 6, scenario: rowAlthoughBackedUp },
  { weight: 10, scenario: notifyLost },
  { weight: 5, scenario: callbackWriteFailed },
  { weight: 5, scenario: notifyBeforeOrder },
  { weight: 5, scenario: twoCallbacks },
  { weight: 5, scenario: rescuedWithAmount },
  { weight: 5, scenario: rescuedAndBackedUpLate },
  { weight: 2, scenario: rescuedWithoutAmount },
  { weight: 3, scenario: clientChosenAmount },
  { weight: 2, scenario: customAmount },
  { weight: 3, scenario: ownerlessKnownPayer },
  { weight: 2, scenario: ownerlessNoPayer },
  { weight: 3, scenario: legacyUser },
  { weight: 2, scenario: impossibleAmount() },
  { weight: 5, scenario: neverPaid },
];

/** As many calls at once as a few warm instances make. */
const AT_ONCE = 32;
const COPIES_MAX = 4;
const DUPLICATE_CHANCE = 0.4;
const DUPLICATE_DELAY_MS_MAX = 300;
/** A crowd comes faster than a slow machine works it off, and this is not the place to measure how fast. */
const PATIENCE_PER_ORDER_MS = 50;

export function crowdStory(orderCount: number): Story {
  return {
    name: 'crowd',
    about: 'mixed orders concurrently, with random duplicates (--orders N)',
    run: async (world) => {
      const { patienceMs } = world;
      world.patienceMs += orderCount * PATIENCE_PER_ORDER_MS;
      try {
        return await playCrowd(world, orderCount);
      } finally {
        world.patienceMs = patienceMs;
      }
    },
  };
}

async function playCrowd(world: World, orderCount: number): Promise<string> {
  const plans = Array.from({ length: orderCount }, () => ({
    scenario: pickScenario(world.random),
    random: world.random.fork(),
  }));
  const orders: PlacedOrder[] = [];
  const customers = async () => {
    for (let plan = plans.pop(); plan; plan = plans.pop()) {
      const order = await plan.scenario(world, plan.random);
      orders.push(order);
      if (plan.random.chance(DUPLICATE_CHANCE)) await repeat(world, order, plan.random);
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: AT_ONCE }, customers));
  const broken = ends.find((end) => end.status === 'rejected');
  if (broken) throw broken.reason;
  await world.untilKept(orders);
  return `${orderCount} mixed orders, ${AT_ONCE} at a time, with duplicates: each as promised`;
}

async function repeat(world: World, order: PlacedOrder, random: Random): Promise<void> {
  const [backups, notifies] = [random.below(COPIES_MAX), random.below(COPIES_MAX)];
  await sleep(random.below(DUPLICATE_DELAY_MS_MAX));
  await Promise.all([world.replay(order, 'order-created', backups), world.replay(order, 'notify', notifies)]);
}

function pickScenario(random: Random): Scenario {
  let left = random.below(MIX.reduce((sum, { weight }) => sum + weight, 0));
  for (const { weight, scenario } of MIX) {
    if (left < weight) return scenario;
    left -= weight;
  }
  return plainJsapi;
}
