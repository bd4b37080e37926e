import { Injectable } from '@nestjs/common';
import type { Actor } from '../../shared/actor.js';
import { DomainError } from '../../shared/domain-error.js';
import { pageOf } from '../../shared/page.js';
import type { Page, PageRequest } from '../../shared/page.js';
import { AuditService } from '../audit/audit.service.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { ExceptionViewsRepository } from './exception-views.repository.js';
import type { ExceptionFilter, ExceptionPosition, ExceptionRecord } from './exceptions.types.js';

/** What an operator decided, and why. */
export type ExceptionDecision = { readonly by: Actor; readonly note: string };

/** Exceptions under the eyes and hands of operators. What an end means for the item's subject is its feature's business. */
@Injectable()
export class ExceptionItemsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly items: ExceptionViewsRepository,
    private readonly audit: AuditService,
  ) {}

  /** The newest first. */
  async list(
    filter: ExceptionFilter,
    page: PageRequest<ExceptionPosition>,
  ): Promise<Page<ExceptionRecord, ExceptionPosition>> {
    const rows = await this.items.list(this.unitOfWork.reader, filter, page);
    return pageOf(rows, page.limit, ({ openedAt, id }) => ({ openedAt: openedAt.toISOString(), id }));
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<ExceptionRecord> {
    const item = await this.items.find(this.unitOfWork.reader, id);
    if (!item) throw unknownException();
    return item;
  }

  /** The item, locked. Whoever needs other rows as well locks them first: those who raise and resolve do. @throws DomainError `not_found` */
  async lock(tx: Tx, id: string): Promise<ExceptionRecord> {
    const item = await this.items.lock(tx, id);
    if (!item) throw unknownException();
    return item;
  }

  countOpen(): Promise<{ kind: string; count: number }[]> {
    return this.items.countOpen(this.unitOfWork.reader);
  }

  /**
   * The operator wants to see it no more: raised again it stays dismissed. A second call changes nothing.
   * @throws DomainError `not_found`, `exception_not_open`
   */
  async dismiss(id: string, { by, note }: ExceptionDecision): Promise<'dismissed' | 'dismissed_already'> {
    return this.unitOfWork.run(async (tx) => {
      const item = await this.lock(tx, id);
      if (item.status === 'dismissed') return 'dismissed_already';
      if (item.status !== 'open') throw notOpen(item);
      await this.end(tx, item, { status: 'dismissed', by, note, resolution: note });
      return 'dismissed';
    });
  }

  /**
   * Takes a dismissal back. A second call changes nothing.
   * @throws DomainError `not_found`, `exception_resolved`
   */
  async reopen(id: string, { by, note }: ExceptionDecision): Promise<'reopened' | 'open_already'> {
    return this.unitOfWork.run(async (tx) => {
      const item = await this.lock(tx, id);
      if (item.status === 'open') return 'open_already';
      if (item.status === 'resolved') {
        throw new DomainError(
          'exception_resolved',
          'conflict',
          'This exception is resolved: its cause is gone, and it opens by itself when it comes back.',
        );
      }
      await this.items.reopenDismissed(tx, id);
      await this.note(tx, item, { by, note, action: 'exception.reopened', status: 'open' });
      return 'reopened';
    });
  }

  /** Ends a locked item, and writes who did and why. Nothing happens to one that is not open. */
  async end(
    tx: Tx,
    item: ExceptionRecord,
    as: ExceptionDecision & { readonly status: 'resolved' | 'dismissed'; readonly resolution: string },
  ): Promise<void> {
    const { status, by, note, resolution } = as;
    if (!(await this.items.end(tx, item.id, { status, by: by.name, resolution }))) return;
    await this.note(tx, item, { by, note, action: `exception.${status}`, status });
  }

  /** Writes what an operator had done about an item, in the transaction that does it. */
  async note(
    tx: Tx,
    item: ExceptionRecord,
    done: ExceptionDecision & { readonly action: string; readonly status: string },
  ): Promise<void> {
    await this.audit.append(tx, {
      actor: done.by,
      action: done.action,
      targetType: 'exception',
      targetId: item.id,
      before: { status: item.status, resolvedBy: item.resolvedBy, resolution: item.resolution },
      after: { status: done.status, kind: item.kind, subject: item.subject },
      reason: done.note,
    });
  }
}

export function notOpen({ status }: ExceptionRecord): DomainError {
  return new DomainError(
    'exception_not_open',
    'conflict',
    status === 'dismissed'
      ? 'This exception is dismissed: reopen it first.'
      : 'This exception is resolved: its cause is gone.',
  );
}

function unknownException(): DomainError {
  return new DomainError('not_found', 'not_found', 'No such exception is known.');
}
