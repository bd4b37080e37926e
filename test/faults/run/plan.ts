import { Random } from '../../support/random.ts';
import { FAULT_NUMBERS } from './fault-numbers.ts';
import type { FaultNumber } from './fault-numbers.ts';
import type { Moment } from './replica.ts';

export const PACKAGE_FEN = { basic: 1, premium: 2990 } as const;
/** Few orders to a user: packages meet, and several transactions want one user's row. */
export const USERS = 400;
const FAULTS_BESIDE_KILLS = 4;
const KILLS = [
  ...['random', 'random', 'before-commit', 'before-commit', 'after-commit', 'after-commit'],
  ...['fsync', 'before-insert', 'after-insert'],
] as readonly KillPlan['how'][];
/** The walk over the exact points is some sixty kills of its own. */
const WALK_SHARE = 0.3;

const FORGED_SHARE = 0.5;

type Telling = 'notify' | 'notify-other' | 'callback' | 'update';

/** What happens around one order. */
export type OrderPlan = {
  readonly user: number;
  readonly packageType: keyof typeof PACKAGE_FEN;
  /** Who makes its row: the function itself, the backend by `order-created`, or both because the function's answer came late. */
  readonly made: 'row' | 'api' | 'both';
  /** How often `order-created` is sent. */
  readonly copies: number;
  readonly isPaid: boolean;
  /** Ways in which the payment is told, in this order. An empty list: everybody stays silent, and the backend must ask. */
  readonly told: readonly Telling[];
  /** The first telling comes before the order does. */
  readonly isToldFirst: boolean;
  /** Parts in fen, all asked for by one operator; each with a key of its own. */
  readonly refundsFen: readonly number[];
  /** Which replica the balancer picks first. */
  readonly replica: 0 | 1;
  readonly pausesMs: readonly number[];
  /** Nobody pays, and somebody tells of a payment all the same: of one that never was, or of another order's. */
  readonly isForged: boolean;
};

/** How one process dies. */
export type KillPlan = {
  readonly how: 'random' | 'fsync' | Moment;
  readonly nth: number;
  readonly afterMs: number;
};

/** Everything about a run that chance decides. The same seed is the same plan; what the machine makes of it in time is not. */
export class RunPlan {
  readonly seed: number;
  readonly faults: readonly FaultNumber[];
  private readonly orders: Random;
  private readonly kills: Random;
  private readonly acts: Random;

  constructor(seed: number, only: readonly FaultNumber[]) {
    this.seed = seed;
    const chance = new Random(seed);
    this.orders = chance.fork();
    this.kills = chance.fork();
    this.acts = chance.fork();
    this.faults = only.length > 0 ? only : drawFaults(chance);
  }

  get isKilling(): boolean {
    return this.faults.includes('F1') || this.faults.includes('F2');
  }

  /** The faults besides kills, in an order of chance. */
  shuffledFaults(): FaultNumber[] {
    const left = this.faults.filter((fault) => fault !== 'F1' && fault !== 'F2');
    return Array.from({ length: left.length }, () => left.splice(this.acts.below(left.length), 1)).flat();
  }

  /** Chance for what a fault does. */
  forkForFault(): Random {
    return this.acts.fork();
  }

  nextOrder(): OrderPlan {
    const chance = this.orders.fork();
    const packageType = chance.chance(0.3) ? 'basic' : 'premium';
    const made = chance.pick(['api', 'api', 'row', 'both'] as const);
    const isPaid = chance.chance(0.9);
    return {
      user: chance.below(USERS),
      packageType,
      made,
      copies: made === 'row' ? 0 : chance.pick([1, 1, 1, 2]),
      isPaid,
      told: isPaid ? drawTellings(chance) : [],
      isToldFirst: chance.chance(0.15),
      refundsFen: isPaid ? drawRefunds(chance, packageType) : [],
      replica: chance.below(2) === 0 ? 0 : 1,
      pausesMs: Array.from({ length: 6 }, () => chance.below(120)),
      isForged: !isPaid && chance.chance(FORGED_SHARE),
    };
  }

  nextKill(): KillPlan {
    const how = this.kills.pick(KILLS);
    return {
      how,
      nth: 1 + this.kills.below(how.endsWith('commit') ? 12 : 4),
      afterMs: this.kills.below(400),
    };
  }
}

function drawTellings(chance: Random): Telling[] {
  const length = chance.pick([0, 1, 1, 1, 2, 2, 3, 4]);
  return Array.from({ length }, () =>
    chance.pick(['notify', 'notify', 'notify-other', 'callback', 'update']),
  );
}

function drawRefunds(chance: Random, packageType: keyof typeof PACKAGE_FEN): number[] {
  if (!chance.chance(0.25)) return [];
  if (packageType === 'basic') return [PACKAGE_FEN.basic];
  // The whole, some of it, the whole in parts, and more than there is: the last one must be refused.
  return chance.pick([[2990], [1000], [1000, 1990], [1000, 1000, 990], [2000, 2000]]);
}

function drawFaults(chance: Random): FaultNumber[] {
  const others = FAULT_NUMBERS.filter((fault) => fault !== 'F1' && fault !== 'F2');
  const drawn: FaultNumber[] = Array.from({ length: FAULTS_BESIDE_KILLS }, () => chance.pick(others));
  const walks = chance.chance(WALK_SHARE);
  return FAULT_NUMBERS.filter(
    (fault) => fault === 'F1' || (fault === 'F2' && walks) || drawn.includes(fault),
  );
}
