import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work.js';
import { AuditRepository } from './audit.repository.js';

export type AuditEntry = {
  /** Who: `system:<part>` or the name of an operator's token. */
  readonly actor: string;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly before?: Record<string, unknown>;
  readonly after?: Record<string, unknown>;
  readonly reason?: string;
};

/** The append-only record of changes that somebody may ask about later, written in the change's own transaction. */
@Injectable()
export class AuditService {
  constructor(private readonly audit: AuditRepository) {}

  async append(tx: Tx, entry: AuditEntry): Promise<void> {
    await this.audit.insert(tx, entry);
  }
}
