import { Injectable } from '@nestjs/common';
import type { Actor } from '../../shared/actor.js';
import { Clock } from '../../shared/clock.js';
import { DomainError } from '../../shared/domain-error.js';
import { AuditService } from '../audit/audit.service.js';
import { isDuplicateEntry } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { ExceptionsService } from '../exceptions/exceptions.service.js';
import { NOTICE_UNDELIVERABLE, noticeSubject } from './notice-exceptions.js';
import { OutboxChannels } from './outbox-channels.js';
import { OutboxRepository } from './outbox.repository.js';
import type { OutboxSummary } from './outbox.types.js';

export type OutboxNotice = {
  readonly topic: string;
  /** One notice per key for ever. */
  readonly key: string;
  /** Ids and amounts; never an openid. */
  readonly payload: Record<string, unknown>;
};

const ROW_ID_PATTERN = /^\d{1,19}$/;

export type Reopened = { readonly channel: string; readonly outcome: 'reopened' | 'due_already' };

/** Notices to the outside are staged in the transaction of the fact they tell, and sent later. */
@Injectable()
export class OutboxService {
  constructor(
    private readonly outbox: OutboxRepository,
    private readonly channels: OutboxChannels,
    private readonly exceptions: ExceptionsService,
    private readonly audit: AuditService,
    private readonly clock: Clock,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Staging the same key again changes nothing. */
  async stage(tx: Tx, notice: OutboxNotice): Promise<void> {
    try {
      await this.outbox.insert(tx, notice);
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
    }
  }

  /** Many at once, of facts that were not known before. @throws a duplicate-entry error when one is staged already: then none is */
  async stageAll(tx: Tx, notices: readonly OutboxNotice[]): Promise<void> {
    if (notices.length > 0) await this.outbox.insert(tx, ...notices);
  }

  /** The notices with these keys and what became of them over each channel, the newest first. */
  async listAbout(keys: readonly string[], limit: number): Promise<OutboxSummary[]> {
    if (keys.length === 0) return [];
    return this.outbox.listAbout(this.unitOfWork.reader, keys, limit);
  }

  /**
   * Has an ended delivery made again, with all the time of a new one. A second call while it is due changes nothing.
   * @throws DomainError `notice_unknown`, `notice_not_resendable`
   */
  async reopen(tx: Tx, id: string, by: Actor): Promise<Reopened> {
    // The server would read "1x" as 1.
    const row = ROW_ID_PATTERN.test(id) ? await this.outbox.lockRow(tx, id) : null;
    if (!row?.channel) throw new DomainError('notice_unknown', 'not_found', 'No such notice is known.');
    const { channel, status } = row;
    if (status === 'pending') return { channel, outcome: 'due_already' };
    if (status === 'unwanted' || !this.channels.find(channel)?.isConfigured) {
      const why = status === 'unwanted' ? 'Nobody wants this notice.' : 'Its channel is not configured.';
      throw new DomainError('notice_not_resendable', 'conflict', why);
    }
    await this.outbox.reopen(tx, id, this.clock.now());
    await this.exceptions.resolveAll(tx, {
      kinds: [NOTICE_UNDELIVERABLE],
      subject: noticeSubject(row),
      by: by.name,
      resolution: 'sent again',
    });
    await this.audit.append(tx, {
      actor: by,
      action: 'notice.resent',
      targetType: 'outbox_message',
      targetId: row.id,
      before: { status },
      after: { status: 'pending' },
    });
    return { channel, outcome: 'reopened' };
  }
}
