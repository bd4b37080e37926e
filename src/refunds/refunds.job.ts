import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { REFUND_SETTLEMENT, RefundSettlementService } from './refund-settlement.service.js';
import { RefundSweepService } from './refund-sweep.service.js';

const SETTLE_EVERY_MS = 500;
/** Calls at a time, each in a lane of its own: a slow one holds back no other. WeChat Pay bears far more, the pool has other work. */
const LANES = 4;
/** Rows written a moment ago; also those whose transaction stayed open for a minute and more. */
const HOT = { everyMs: 1_000, windowSeconds: 150 };
/** What the hot window missed, for example while no process ran. */
const WIDE = { everyMs: 60_000, windowSeconds: 30 * 60 };
/** One bounded step of the endless pass over the whole table. */
const FULL_EVERY_MS = 1_000;

/** Follows refunds to their end, and finds those that others make. */
@Injectable()
export class RefundsJob implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly settlement: RefundSettlementService,
    private readonly sweep: RefundSweepService,
  ) {}

  onApplicationBootstrap(): void {
    this.jobs.register({
      name: REFUND_SETTLEMENT,
      everyMs: SETTLE_EVERY_MS,
      scope: 'replica', // each refund is claimed by its row
      lanes: LANES,
      run: (context) => this.settlement.settleDue(context),
    });
    this.jobs.register({
      name: 'refund-sweep-hot',
      everyMs: HOT.everyMs,
      scope: 'cluster',
      run: (context) => this.sweep.sweepRecent(HOT.windowSeconds, context),
    });
    this.jobs.register({
      name: 'refund-sweep-wide',
      everyMs: WIDE.everyMs,
      scope: 'cluster',
      run: (context) => this.sweep.sweepRecent(WIDE.windowSeconds, context),
    });
    this.jobs.register({
      name: 'refund-sweep-full',
      everyMs: FULL_EVERY_MS,
      scope: 'cluster',
      run: (context) => this.sweep.sweepNextStep(context),
    });
  }
}
