import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { JobRunner } from '../platform/jobs/job-runner.js';
import type { JobContext } from '../platform/jobs/job-runner.js';
import { PaidSweepService } from './paid-sweep.service.js';
import { RefundedSweepService } from './refunded-sweep.service.js';

/** Rows turned paid a moment ago. Every row in the window is looked at each time, settled or not: in a rush they are many. */
const HOT = { everyMs: 1_000, windowSeconds: 3 };
/** Also rows whose transaction stayed open for a minute and more: they are dated to when they were written. */
const LATE = { everyMs: 5_000, windowSeconds: 150 };
/** What the hot window missed, for example while no process ran. */
const WIDE = { everyMs: 60_000, windowSeconds: 30 * 60 };
/** One bounded step of the endless pass over the whole table. */
const FULL_EVERY_MS = 1_000;

/**
 * Finds paid orders that no message told about, as most paid orders are: the callers notify at most once. And orders
 * that a caller called refunded.
 */
@Injectable()
export class PaidSweepJob implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly sweep: PaidSweepService,
    private readonly refunded: RefundedSweepService,
  ) {}

  onApplicationBootstrap(): void {
    this.register('refunded-sweep-wide', WIDE.everyMs, (context) =>
      this.refunded.sweepRecent(WIDE.windowSeconds, context),
    );
    this.register('refunded-sweep-full', FULL_EVERY_MS, (context) => this.refunded.sweepNextStep(context));
    this.register('paid-sweep-hot', HOT.everyMs, (context) =>
      this.sweep.sweepRecent(HOT.windowSeconds, context),
    );
    this.register('paid-sweep-late', LATE.everyMs, (context) =>
      this.sweep.sweepRecent(LATE.windowSeconds, context),
    );
    this.register('paid-sweep-wide', WIDE.everyMs, (context) =>
      this.sweep.sweepRecent(WIDE.windowSeconds, context),
    );
    this.register('paid-sweep-full', FULL_EVERY_MS, (context) => this.sweep.sweepNextStep(context));
  }

  private register(name: string, everyMs: number, run: (context: JobContext) => Promise<void>): void {
    this.jobs.register({ name, everyMs, scope: 'cluster', run });
  }
}
