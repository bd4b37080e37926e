import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { isDatabaseUnavailable } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { JobRunner } from '../jobs/job-runner.js';
import { AppLogger } from '../logging/app-logger.js';
import { ErrorLogService } from '../logging/error-log.service.js';
import { scrubError } from '../logging/scrub.js';
import { EdgeActivity } from './edge-activity.js';
import { ALONE_LEASE_MS, InboxApplier } from './inbox-applier.service.js';
import type { Release } from './inbox-applier.service.js';
import { InboxRepository } from './inbox.repository.js';
import type { InboxItem } from './inbox.types.js';
import { LaneGate } from './lane-gate.js';

export const INBOX_DRAIN = 'inbox-drain';

/** Messages of other replicas and postponed ones are found this often; our own wake the job at once. */
const EVERY_MS = 500;
/** Transactions at a time, each in a lane of its own: one that waits for a lock holds back no other. Most of the pool stays free for the edge. */
const LANES = 4;
/** A batch takes less where nothing holds it up. */
const HELD_UP_MS = 100;
/** One transaction's worth: its locks are held for some tens of milliseconds, and its statements stay far below max_allowed_packet. */
const BATCH_MAX = 128;
/** While somebody is served: a process and a server that are held up by a batch are free again sooner. */
const BATCH_BUSY_MAX = 16;
/** Less, by one wait for a lock, than what goes alone is hidden from the other lanes. */
const ALONE_WITHIN_MS = ALONE_LEASE_MS - 1_500;

/**
 * Applies stored messages. What is due is claimed many at a time; usual messages are applied together, in the transaction
 * that claimed them, and every other one in a transaction of its own. So are those of a batch that failed: which of them it
 * was shows then, and the others are not held up.
 */
@Injectable()
export class InboxDrainService implements OnApplicationBootstrap {
  private readonly gate = new LaneGate(HELD_UP_MS);
  /** All lanes rest together. */
  private restUntilMs = 0;
  /** How long what was claimed last had been due. */
  private waitedMs = 0;

  constructor(
    private readonly jobs: JobRunner,
    private readonly unitOfWork: UnitOfWork,
    private readonly inbox: InboxRepository,
    private readonly applier: InboxApplier,
    private readonly edge: EdgeActivity,
    private readonly errors: ErrorLogService,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.jobs.register({
      name: INBOX_DRAIN,
      everyMs: EVERY_MS,
      scope: 'replica', // any number of replicas drain together: each message is claimed by its row lock
      lanes: LANES,
      run: ({ stopping }) => this.drain(stopping),
    });
  }

  /** Works until nothing is due. */
  async drain(stopping: AbortSignal): Promise<void> {
    do await this.edge.rest(this.restUntilMs - performance.now(), stopping);
    while (!stopping.aborted && (await this.handleDue(stopping)));
  }

  private async handleDue(stopping: AbortSignal): Promise<boolean> {
    let claimed: readonly InboxItem[] = [];
    let limit = BATCH_MAX;
    // Of the batch alone: who waits for a lock afterwards does not work, and nobody has to rest for it.
    let workedMs = 0;
    const openGate = await this.gate.pass();
    const startedMs = performance.now();
    if (stopping.aborted) {
      openGate();
      return false;
    }
    // The lane before this one has worked: its rest is everybody's.
    if (this.edge.goesFirst(this.waitedMs) && startedMs < this.restUntilMs) {
      openGate();
      return true;
    }
    try {
      const { releases, alone } = await this.unitOfWork.run(async (tx) => {
        limit = this.edge.goesFirst(this.waitedMs) ? BATCH_BUSY_MAX : BATCH_MAX;
        claimed = await this.inbox.claimDue(tx, limit);
        this.waitedMs = claimed[0]?.dueForMs ?? 0;
        // While somebody is served one lane works at a time, so that a server is never held up by four batches at once.
        if (claimed.length === BATCH_MAX) openGate();
        return this.applier.applyAll(tx, claimed);
      });
      workedMs = performance.now() - startedMs;
      if (!this.edge.goesFirst(this.waitedMs)) openGate();
      await this.release(releases);
      await this.handleEach(alone, stopping);
    } catch (error) {
      if (claimed.length === 0 || isDatabaseUnavailable(error)) throw error;
      const [only] = claimed;
      if (only && claimed.length === 1) await this.applier.recordFailure(only, error);
      else await this.handleEach(this.suspected(claimed, error), stopping);
    } finally {
      const isMore = claimed.length === limit;
      const restMs = this.edge.restAfter({ workedMs, waitedMs: this.waitedMs, isMore });
      this.restUntilMs = performance.now() + restMs;
      openGate();
    }
    return claimed.length > 0;
  }

  /** What is not reached in its time is due again, for whichever lane is free: each may wait a second for a lock. */
  private async handleEach(items: readonly InboxItem[], stopping: AbortSignal): Promise<void> {
    const untilMs = performance.now() + ALONE_WITHIN_MS;
    for (const item of items) {
      if (stopping.aborted || performance.now() > untilMs) return;
      await this.handleAlone(item);
    }
  }

  private async handleAlone(item: InboxItem): Promise<void> {
    let claimed: InboxItem | null = null;
    try {
      const release = await this.unitOfWork.run(async (tx) => {
        claimed = await this.inbox.claim(tx, item.id);
        return claimed && this.applier.applyOne(tx, claimed);
      });
      if (release) await this.release([release]);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // As it is now: others may have tried it since.
      await this.applier.recordFailure(claimed ?? item, error);
    }
  }

  private suspected(claimed: readonly InboxItem[], error: unknown): readonly InboxItem[] {
    const { code, message } = scrubError(error);
    this.logger.warned('inbox.batch_failed', { messages: claimed.length, code, reason: message });
    return claimed;
  }

  /**
   * After the commit: inside, it would wait for a handler that waits for the orders locked here. What waits comes up again
   * by itself: a failure here only makes it later.
   */
  private async release(releases: readonly Release[]): Promise<void> {
    for (const [topic, of] of Map.groupBy(releases, (release) => release.topic)) {
      const outTradeNos = of.map(({ outTradeNo }) => outTradeNo);
      try {
        await this.inbox.release(outTradeNos, topic);
      } catch (error) {
        if (isDatabaseUnavailable(error)) throw error;
        this.errors.record('inbox.release_failed', error, { outTradeNo: outTradeNos[0], topic });
      }
    }
  }
}
