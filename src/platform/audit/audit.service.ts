import { Injectable } from '@nestjs/common';
import type { Actor } from '../../shared/actor.js';
import { pageOf } from '../../shared/page.js';
import type { Page, PageRequest } from '../../shared/page.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { AuditRepository } from './audit.repository.js';
import type { AuditFilter, AuditPosition, AuditRecord } from './audit.types.js';

export type AuditEntry = {
  /** Who: an operator with their request, or `system:<part>`. */
  readonly actor: Actor | string;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  /** The fields that changed, without secrets, openids and phone numbers: operators read them. */
  readonly before?: Record<string, unknown>;
  readonly after?: Record<string, unknown>;
  readonly reason?: string;
};

/** The append-only record of changes that somebody may ask about later, written in the change's own transaction. */
@Injectable()
export class AuditService {
  constructor(
    private readonly audit: AuditRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async append(tx: Tx, entry: AuditEntry): Promise<void> {
    const { actor, ...change } = entry;
    const { name, ...origin } = typeof actor === 'string' ? { name: actor } : actor;
    await this.audit.insert(tx, { ...change, ...origin, actor: name });
  }

  /** What was changed about these things of one kind, the newest first. */
  async listAbout(
    about: { readonly targetType: string; readonly targetIds: readonly string[] },
    limit: number,
  ): Promise<AuditRecord[]> {
    if (about.targetIds.length === 0) return [];
    return this.audit.listAbout(this.unitOfWork.reader, about, limit);
  }

  async list(
    filter: AuditFilter,
    page: PageRequest<AuditPosition>,
  ): Promise<Page<AuditRecord, AuditPosition>> {
    const rows = await this.audit.list(this.unitOfWork.reader, filter, page);
    return pageOf(rows, page.limit, ({ id }) => ({ id }));
  }
}
