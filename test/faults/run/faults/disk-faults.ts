import { appendFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../../support/random.ts';
import type { Replica } from '../replica.ts';
import { whyNoStrace } from '../strace.ts';
import type { Injection } from '../strace.ts';
import type { World } from '../world.ts';
import { pickReplica } from './fault.ts';
import type { Fault } from './fault.ts';

const POSTS = 12;
const TORN_BYTES_MAX = 5_000;
/** SQLite writes to its log with this call, and nothing else in the process does. */
const SPOOL_WRITES = 'pwrite64';
const SLOW_SYNC_MICROSECONDS = 400_000;

/** Nothing may be promised that is not on the disk: 503, and never a success. After the fault it goes on without a restart. */
export const fillDisk: Fault = (world, chance) =>
  onBadDisk(world, chance, {
    number: 'F15',
    injection: { action: 'error=ENOSPC', syscalls: SPOOL_WRITES },
    isHonest: (status) => status === 503,
  });

export const failSync: Fault = (world, chance) =>
  onBadDisk(world, chance, {
    number: 'F16',
    injection: { action: 'error=EIO', when: String(1 + chance.below(3)) },
    isHonest: (status) => status === 503 || status === 200,
  });

export const slowDisk: Fault = (world, chance) =>
  onBadDisk(world, chance, {
    number: 'F18',
    injection: { action: `delay_exit=${SLOW_SYNC_MICROSECONDS}` },
    isHonest: (status) => status === 503 || status === 200,
  });

/** A power cut may leave the beginning of a write behind the last one that was promised. */
export const tearSpool: Fault = (world, chance) =>
  world.alone(async () => {
    const { one } = pickReplica(world, chance);
    await one.proxy.refuse();
    try {
      await postSome(world, one, chance);
      await one.kill('random');
      await one.proxy.refuse();
      const log = join(one.spoolDir, 'spool.db-wal');
      const garbage = Uint8Array.from({ length: 1 + chance.below(TORN_BYTES_MAX) }, () => chance.below(256));
      if (existsSync(log)) appendFileSync(log, garbage);
      else world.find('F17: there was no log of the spool to tear');
      await one.start();
      await postSome(world, one, chance);
    } finally {
      await one.proxy.pass();
    }
  });

type BadDisk = {
  readonly number: string;
  readonly injection: Injection;
  /** Whether it may answer so while the disk is bad. */
  readonly isHonest: (status: number) => boolean;
};

/** The database is away from this replica, so that everything depends on its disk. */
async function onBadDisk(
  world: World,
  chance: Random,
  { number, injection, isHonest }: BadDisk,
): Promise<void> {
  const reason = whyNoStrace();
  if (reason) return void world.notRun.set(number, reason);
  await world.alone(async () => {
    const { one } = pickReplica(world, chance);
    await one.proxy.refuse();
    try {
      // The breaker opens with the first of these: what comes later knows that the database is away.
      await postSome(world, one, chance);
      const trace = await one.trace(injection);
      try {
        const statuses = await postSome(world, one, chance);
        const wrong = statuses.filter((status) => status !== null && !isHonest(status));
        if (wrong.length > 0) world.find(`${number}: answered ${wrong.join(', ')} on a bad disk`);
      } finally {
        await trace.stop();
      }
      await sleep(chance.below(500));
      const after = await postSome(world, one, chance);
      const refused = after.filter((status) => status !== 200);
      if (refused.length > 0)
        world.find(`${number}: answered ${refused.join(', ')} when the disk was well again`);
    } finally {
      await one.proxy.pass();
    }
  });
}

async function postSome(world: World, to: Replica, chance: Random): Promise<(number | null)[]> {
  const sales = Array.from({ length: POSTS }, () => world.shop.open('premium', chance.below(400)));
  const heard = await Promise.all(sales.map((sale) => world.shop.orderCreated(sale, to)));
  return heard.map(({ status }) => status);
}
