import { setTimeout as sleep } from 'node:timers/promises';
import { pickReplica } from './fault.ts';
import type { Fault } from './fault.ts';

const BLACK_MS_MIN = 1_000;
const BLACK_MS_SPREAD = 2_500;
const SLICED_MS = 2_000;
const RESETS = 4;
const LOST_ANSWERS_MAX = 4;
const LOST_WITHIN_MS = 3_000;

/** The replica must come up and take messages; the database it cannot reach comes back later. */
export const bootWithoutServer: Fault = (world, chance) =>
  world.alone(async () => {
    const { one } = pickReplica(world, chance);
    await one.proxy.refuse();
    try {
      await one.terminate();
      await one.start();
      const sale = world.shop.open('premium', chance.below(400));
      const { status } = await world.shop.orderCreated(sale, one);
      if (status !== 200) world.find(`F4: order-created without a database was answered ${String(status)}`);
      await sleep(chance.below(1_000));
    } finally {
      await one.proxy.pass();
    }
  });

export const breakNetwork: Fault = (world, chance) =>
  world.alone(async () => {
    const { one } = pickReplica(world, chance);
    try {
      one.proxy.stall();
      await sleep(BLACK_MS_MIN + chance.below(BLACK_MS_SPREAD));
      await one.proxy.pass();
      for (let reset = 0; reset < RESETS; reset += 1) {
        one.proxy.cut();
        await sleep(chance.below(300));
      }
      one.proxy.slice();
      await sleep(SLICED_MS);
    } finally {
      await one.proxy.pass();
    }
  });

/** What was asked is done, and nobody hears of it: COMMIT, and the statement that acknowledges messages and commits by itself. */
export const loseCommitAnswers: Fault = (world, chance) =>
  world.alone(async () => {
    const { one } = pickReplica(world, chance);
    for (const word of ['COMMIT', 'INSERT INTO inbox_messages']) {
      const lostBefore = one.proxy.answersLost;
      const wanted = lostBefore + 1 + chance.below(LOST_ANSWERS_MAX);
      const deadlineMs = performance.now() + LOST_WITHIN_MS;
      one.proxy.loseAnswersTo(word, wanted - lostBefore);
      while (one.proxy.answersLost < wanted && performance.now() < deadlineMs) await sleep(10);
      if (one.proxy.answersLost === lostBefore)
        world.notRun.set(`F7 at ${word}`, 'none came within its time');
      await one.proxy.pass();
    }
  });
