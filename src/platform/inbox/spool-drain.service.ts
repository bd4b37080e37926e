import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { isDataRejection } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { ExceptionsService } from '../exceptions/exceptions.service.js';
import { JobRunner } from '../jobs/job-runner.js';
import { AppLogger } from '../logging/app-logger.js';
import { ErrorLogService } from '../logging/error-log.service.js';
import { scrubError } from '../logging/scrub.js';
import type { StoredSpoolRecord } from '../spool/spool-protocol.js';
import { SpoolService } from '../spool/spool.service.js';
import { fasterOf, paceOf } from './drain-pace.js';
import { EdgeActivity } from './edge-activity.js';
import { INBOX_DRAIN } from './inbox-drain.service.js';
import { InboxRepository } from './inbox.repository.js';

const EVERY_MS = 1_000;

/** Moves messages from the local disk into the inbox once MySQL is back. A record is removed only after its row was read back. */
@Injectable()
export class SpoolDrainService implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly unitOfWork: UnitOfWork,
    private readonly spool: SpoolService,
    private readonly inbox: InboxRepository,
    private readonly edge: EdgeActivity,
    private readonly exceptions: ExceptionsService,
    private readonly errors: ErrorLogService,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.jobs.register({
      name: 'spool-drain',
      everyMs: EVERY_MS,
      scope: 'replica',
      roles: 'every', // the spool is this machine's disk: nobody else can reach it
      run: ({ stopping }) => this.drain(stopping),
    });
  }

  private async drain(stopping: AbortSignal): Promise<void> {
    let pace = paceOf(0);
    let nextAtMs = performance.now();
    let afterSeq = 0;
    let moved = 0;
    while (!stopping.aborted) {
      const batch = await this.spool.read(afterSeq, pace.batch);
      const last = batch.at(-1);
      if (!last) break;
      afterSeq = last.seq;
      // Before and after: a slow server takes longer for it than somebody counts as served.
      if (batch.length === pace.batch) this.edge.note();
      moved += await this.move(batch);
      this.jobs.wake(INBOX_DRAIN);
      if (batch.length < pace.batch) break;
      this.edge.note();
      pace = fasterOf(pace, paceOf((await this.spool.stats()).depth));
      nextAtMs += pace.everyMs;
      const restMs = Math.max(0, nextAtMs - performance.now());
      await sleep(restMs, undefined, { signal: stopping }).catch(() => undefined);
    }
    if (moved > 0) this.logger.info('spool.drained', { moved });
  }

  private async move(batch: readonly StoredSpoolRecord[]): Promise<number> {
    try {
      await this.inbox.insertMany(batch);
    } catch (error) {
      if (!isDataRejection(error)) throw error;
      for (const record of batch) await this.moveAlone(record);
    }
    const stored = await this.inbox.storedKeys(batch.map(({ dedupeKey }) => dedupeKey));
    const seqs = batch.filter(({ dedupeKey }) => stored.has(dedupeKey)).map(({ seq }) => seq);
    await this.spool.remove(seqs);
    return seqs.length;
  }

  /** One record that MySQL will never take must not hold back the others; it stays on the disk, with an exception that names it. */
  private async moveAlone(record: StoredSpoolRecord): Promise<void> {
    try {
      await this.inbox.insertMany([record]);
    } catch (error) {
      if (!isDataRejection(error)) throw error;
      const reason = scrubError(error).message;
      this.errors.record('spool.record_refused', error, {
        outTradeNo: record.outTradeNo,
        topic: record.topic,
      });
      await this.unitOfWork.run((tx) =>
        this.exceptions.raise(tx, {
          kind: 'spool_record_refused',
          subject: record.outTradeNo,
          reason: `A stored message was refused by the database and stays in the spool: ${reason}`,
          detail: { topic: record.topic, spoolSequence: record.seq },
        }),
      );
      await this.spool.setAside(record.seq, reason);
    }
  }
}
