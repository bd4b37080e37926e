import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { isDatabaseUnavailable } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { ExceptionsService } from '../exceptions/exceptions.service.js';
import { JobRunner } from '../jobs/job-runner.js';
import { ErrorLogService } from '../logging/error-log.service.js';
import { scrubError } from '../logging/scrub.js';
import { InboxHandlers } from './inbox-handlers.js';
import { InboxRepository } from './inbox.repository.js';
import type { Handling, InboxItem } from './inbox.types.js';
import { QuarantineService } from './quarantine.service.js';

export const INBOX_DRAIN = 'inbox-drain';

/** Messages of other replicas and postponed ones are found this often; our own wake the job at once. */
const EVERY_MS = 500;
/** Transactions at a time, each in a lane of its own: one that waits for a lock holds back no other. Most of the pool stays free for the edge. */
const LANES = 4;
/** A message that failed this often with an error of our own is set before an operator. */
const ATTEMPTS_MAX = 10;
const RETRY_DELAY_MS_MAX = 300_000;

/** Applies stored messages, each in one transaction with its effect. */
@Injectable()
export class InboxDrainService implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly unitOfWork: UnitOfWork,
    private readonly inbox: InboxRepository,
    private readonly handlers: InboxHandlers,
    private readonly quarantine: QuarantineService,
    private readonly exceptions: ExceptionsService,
    private readonly errors: ErrorLogService,
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
    while (!stopping.aborted && (await this.handleNext()));
  }

  private async handleNext(): Promise<boolean> {
    const at: { item: InboxItem | null } = { item: null };
    try {
      const handling = await this.unitOfWork.run(async (tx) => {
        at.item = await this.inbox.claimNext(tx);
        return at.item ? this.handle(tx, at.item) : null;
      });
      if (at.item && handling?.kind === 'handled' && handling.releaseTopic) {
        // After the commit: inside, it would wait for a handler that waits for the order locked here.
        await this.release(at.item.outTradeNo, handling.releaseTopic);
      }
    } catch (error) {
      if (!at.item || isDatabaseUnavailable(error)) throw error;
      await this.recordFailure(at.item, error);
    }
    return at.item !== null;
  }

  /** What waits comes up again by itself: a failure here only makes it later. */
  private async release(outTradeNo: string, topic: string): Promise<void> {
    try {
      await this.inbox.release(outTradeNo, topic);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      this.errors.record('inbox.release_failed', error, { outTradeNo, topic });
    }
  }

  private async handle(tx: Tx, item: InboxItem): Promise<Handling> {
    const handling = await this.handlers.get(item.topic)(tx, item);
    switch (handling.kind) {
      case 'handled':
        await this.inbox.settle(tx, item.id, { status: 'handled', outcome: handling.outcome });
        await this.quarantine.end(tx, item);
        break;
      case 'postponed':
        await this.inbox.postpone(tx, item.id, { ...handling, failed: false });
        break;
      case 'quarantined':
        await this.inbox.settle(tx, item.id, { status: 'quarantined', outcome: handling.exceptionKind });
        await this.exceptions.raise(tx, {
          kind: handling.exceptionKind,
          subject: item.outTradeNo,
          reason: handling.reason,
          detail: { ...handling.detail, inboxMessageId: item.id },
        });
        break;
    }
    return handling;
  }

  /** A failing message makes room for the others: it comes back later each time, and in the end before an operator. */
  private async recordFailure(item: InboxItem, error: unknown): Promise<void> {
    this.errors.record('inbox.message_failed', error, {
      inboxMessageId: item.id,
      topic: item.topic,
      outTradeNo: item.outTradeNo,
      attempts: item.attempts + 1,
    });
    const reason = scrubError(error).message;
    await this.unitOfWork.run(async (tx) => {
      if (item.attempts + 1 < ATTEMPTS_MAX) {
        const delayMs = Math.min(1_000 * 2 ** item.attempts, RETRY_DELAY_MS_MAX);
        await this.inbox.postpone(tx, item.id, { delayMs, reason, failed: true });
        return;
      }
      await this.inbox.settle(tx, item.id, { status: 'quarantined', outcome: 'message_failed' });
      await this.exceptions.raise(tx, {
        kind: 'message_failed',
        subject: item.outTradeNo,
        reason: `The message could not be applied after ${ATTEMPTS_MAX} tries: ${reason}`,
        detail: { inboxMessageId: item.id, topic: item.topic },
      });
    });
  }
}
