import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { AppConfig } from '../config/app-config.js';
import { DatabaseAvailability } from '../database/database-availability.js';
import { isDatabaseUnavailable } from '../database/database-error.js';
import { ErrorLogService } from '../logging/error-log.service.js';
import { JobLeasesRepository } from './job-leases.repository.js';
import type { JobLease } from './job-leases.repository.js';

export type Job = {
  readonly name: string;
  readonly everyMs: number;
  /** `replica`: each process runs its own. `cluster`: one process at a time, under a lease. */
  readonly scope: 'replica' | 'cluster';
  /** How many runs may be under way at once in this process, each on its own: one that waits holds back no other. */
  readonly lanes?: number;
  /** Jobs of local state run in every role; others only where ROLE allows jobs. */
  readonly roles?: 'every';
  run(context: JobContext): Promise<void>;
};

export type JobContext = {
  /** Set for `cluster` jobs. */
  readonly lease: JobLease | null;
  /** Raised at shutdown: finish the step at hand and return. */
  readonly stopping: AbortSignal;
};

/** A crashed owner is replaced after this; a tick renews it long before. */
const LEASE_TTL_MS = 10_000;

/**
 * A stop waits no longer for the steps at hand: the requests under way have the rest of its time. What is cut is done
 * again by whoever has its lease or its claim next.
 */
const STEP_WITHIN_MS = 5_000;

type Scheduled = { readonly job: Job; running: Promise<void> | null; again: boolean; lease: JobLease | null };

/**
 * Runs the jobs of this process on their intervals: never the same job twice at once, none while MySQL is
 * away, and none after shutdown began. Failures are recorded and the next tick tries again.
 */
@Injectable()
export class JobRunner implements BeforeApplicationShutdown {
  private readonly owner = `${process.pid}-${randomBytes(6).toString('hex')}`;
  private readonly stopping = new AbortController();
  private readonly jobs = new Map<string, Scheduled[]>();

  constructor(
    private readonly scheduler: SchedulerRegistry,
    private readonly config: AppConfig,
    private readonly availability: DatabaseAvailability,
    private readonly leases: JobLeasesRepository,
    private readonly errors: ErrorLogService,
  ) {}

  /** For a feature's onApplicationBootstrap. */
  register(job: Job): void {
    if (this.config.role === 'api' && job.roles !== 'every') return;
    const lanes = Array.from({ length: job.lanes ?? 1 }, () => ({
      job,
      running: null,
      again: false,
      lease: null,
    }));
    this.jobs.set(job.name, lanes);
    this.scheduler.addInterval(
      job.name,
      setInterval(() => this.wake(job.name), job.everyMs),
    );
    this.availability.onAvailable(() => this.wake(job.name));
  }

  /** Runs the job now, or once more after the run at hand: something came in that it may have passed already. */
  wake(name: string): void {
    if (this.stopping.signal.aborted || !this.availability.isAvailable) return;
    for (const lane of this.jobs.get(name) ?? []) {
      if (lane.running) lane.again = true;
      else this.start(lane);
    }
  }

  /** The scheduler clears its intervals by itself; from here on a wake does nothing. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    const lanes = [...this.jobs.values()].flat();
    const ended = Promise.all(lanes.map(async ({ running }) => running));
    await Promise.race([ended, sleep(STEP_WITHIN_MS, undefined, { ref: false })]);
    // Whoever is still at work keeps its lease, so that nobody else begins the same.
    await Promise.all(lanes.filter(({ running }) => !running).map((lane) => this.giveUpLease(lane)));
  }

  private start(lane: Scheduled): void {
    lane.running = this.runUntilQuiet(lane).finally(() => {
      lane.running = null;
    });
  }

  private async runUntilQuiet(scheduled: Scheduled): Promise<void> {
    do {
      scheduled.again = false;
      await this.runOnce(scheduled);
    } while (scheduled.again && !this.stopping.signal.aborted);
  }

  private async runOnce(scheduled: Scheduled): Promise<void> {
    const { job } = scheduled;
    try {
      if (job.scope === 'cluster') {
        scheduled.lease = await this.leases.claim(job.name, this.owner, LEASE_TTL_MS);
        if (!scheduled.lease) return;
      }
      await job.run({ lease: scheduled.lease, stopping: this.stopping.signal });
    } catch (error) {
      this.availability.reportFailure(error);
      if (!isDatabaseUnavailable(error)) this.errors.record('job.failed', error, { job: job.name });
    }
  }

  private async giveUpLease({ lease }: Scheduled): Promise<void> {
    if (!lease || !this.availability.isAvailable) return;
    // Best effort: an unreleased lease only makes the next owner wait until it runs out.
    await this.leases.release(lease).catch((error: unknown) => this.availability.reportFailure(error));
  }
}
