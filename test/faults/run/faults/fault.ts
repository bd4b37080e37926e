import type { Random } from '../../../support/random.ts';
import type { Replica } from '../replica.ts';
import type { World } from '../world.ts';

/** Brings one fault about once, and ends it. Resolves when it is over; the traffic goes on meanwhile. */
export type Fault = (world: World, chance: Random) => Promise<void>;

export function pickReplica(world: World, chance: Random): { one: Replica; other: Replica } {
  const [a, b] = world.replicas;
  return chance.below(2) === 0 ? { one: a, other: b } : { one: b, other: a };
}
