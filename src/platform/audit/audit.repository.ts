import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work.js';

@Injectable()
export class AuditRepository {
  async insert(
    tx: Tx,
    entry: {
      actor: string;
      action: string;
      targetType: string;
      targetId: string;
      before?: Record<string, unknown>;
      after?: Record<string, unknown>;
      reason?: string;
    },
  ): Promise<void> {
    await tx.query(
      `INSERT INTO audit_logs (actor, action, target_type, target_id, before_data, after_data, reason)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [
        entry.actor,
        entry.action,
        entry.targetType,
        entry.targetId,
        entry.before ? JSON.stringify(entry.before) : null,
        entry.after ? JSON.stringify(entry.after) : null,
        entry.reason ?? null,
      ],
    );
  }
}
