import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { withDeadline } from '../../shared/deadline.js';
import { DatabaseAvailability } from '../database/database-availability.js';
import { JobRunner } from '../jobs/job-runner.js';
import { AppLogger } from '../logging/app-logger.js';
import { scrubError } from '../logging/scrub.js';
import type { SpoolRecord } from '../spool/spool-protocol.js';
import { SpoolService } from '../spool/spool.service.js';
import { EdgeActivity } from './edge-activity.js';
import { GroupCommit } from './group-commit.js';
import { INBOX_DRAIN } from './inbox-drain.service.js';
import { InboxRepository } from './inbox.repository.js';
import type { InboxSummary, IncomingMessage } from './inbox.types.js';

/** A write that takes longer counts as an outage: the callers wait 5 s at most, and the spool needs its share. */
const WRITE_DEADLINE_MS = 800;
/** One statement of this many small rows stays well under max_allowed_packet and the deadline. */
const BATCH_MAX = 256;
const WAITING_MAX = 5_000;
/** The server syncs its log once for both; more would only make the batches smaller. */
const WRITES_MAX = 2;

/** The edge of the backend: a message is durable, in MySQL or on the local disk, when `accept` resolved. */
@Injectable()
export class InboxService {
  private readonly commit: GroupCommit<SpoolRecord>;

  constructor(
    private readonly inbox: InboxRepository,
    private readonly spool: SpoolService,
    private readonly availability: DatabaseAvailability,
    private readonly jobs: JobRunner,
    private readonly edge: EdgeActivity,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {
    this.commit = new GroupCommit((records) => this.inbox.insertMany(records), {
      batchMax: BATCH_MAX,
      waitingMax: WAITING_MAX,
      writesMax: WRITES_MAX,
    });
  }

  /** @throws DomainError `storage_unavailable` when neither MySQL nor the disk took the message */
  async accept(message: IncomingMessage): Promise<void> {
    this.edge.note();
    const record = this.toRecord(message);
    const stored = (await this.storeInDatabase(record)) ? 'inbox' : 'spool';
    if (stored === 'spool') await this.spool.append(record);
    this.logger.info('inbox.accepted', { topic: message.topic, outTradeNo: message.outTradeNo, stored });
    this.jobs.wake(INBOX_DRAIN);
  }

  /** What became of the messages about an order, the newest first; what waits in a spool is not among them. */
  listAbout(outTradeNo: string, limit: number): Promise<InboxSummary[]> {
    return this.inbox.listAbout(outTradeNo, limit);
  }

  private async storeInDatabase(record: SpoolRecord): Promise<boolean> {
    if (!this.availability.isAvailable) return false;
    try {
      await withDeadline('the inbox', WRITE_DEADLINE_MS, this.commit.add(record));
      return true;
    } catch (error) {
      // Also when MySQL refused the row itself: the spool keeps it until it is known why.
      this.availability.reportFailure(error);
      const { code, message } = scrubError(error);
      this.logger.warned('inbox.write_failed', { outTradeNo: record.outTradeNo, code, reason: message });
      return false;
    }
  }

  private toRecord({ topic, outTradeNo, identity, payload }: IncomingMessage): SpoolRecord {
    const dedupeKey = createHash('sha256')
      .update(JSON.stringify([topic, outTradeNo, identity]))
      .digest('hex');
    return {
      dedupeKey,
      topic,
      outTradeNo,
      payload: JSON.stringify(payload),
      receivedAtMs: this.clock.nowMs(),
    };
  }
}
