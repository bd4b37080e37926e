import { setTimeout as sleep } from 'node:timers/promises';
import type { KillPlan } from './plan.ts';
import type { Replica } from './replica.ts';
import { whyNoStrace } from './strace.ts';
import type { World } from './world.ts';

/** What traffic does not bring about within this time is not waited for: the process is killed all the same. */
const POINT_WITHIN_MS = 3_000;

/** One life ends as planned, and the next one begins. */
export async function killOnce(world: World, replica: Replica, plan: KillPlan): Promise<void> {
  await sleep(plan.afterMs);
  await world.alone(async () => {
    const deadlineMs = performance.now() + POINT_WITHIN_MS;
    const isOver = () => performance.now() >= deadlineMs;
    const isAtPoint = await killAtPoint(world, replica, { plan, isOver });
    if (!isAtPoint) await replica.kill('random');
    await replica.start();
  });
}

async function killAtPoint(
  world: World,
  replica: Replica,
  { plan, isOver }: { plan: KillPlan; isOver: () => boolean },
): Promise<boolean> {
  switch (plan.how) {
    case 'random':
      return false;
    case 'fsync':
      return killAtSync(world, replica, { plan, isOver });
    default:
      return replica.killAt(plan.how, plan.nth, isOver);
  }
}

/** The spool is written only while the database is away, and here it is away from this replica. */
async function killAtSync(
  world: World,
  replica: Replica,
  { plan, isOver }: { plan: KillPlan; isOver: () => boolean },
): Promise<boolean> {
  const reason = whyNoStrace();
  if (reason) {
    world.notRun.set('F2 at fsync', reason);
    return false;
  }
  await replica.proxy.refuse();
  try {
    return await replica.killAtSync(plan.nth, isOver);
  } finally {
    await replica.proxy.pass();
  }
}
