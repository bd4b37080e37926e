import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../shared/page.js';
import type { Tx } from '../database/unit-of-work.js';
import type { AuditFilter, AuditPosition, AuditRecord } from './audit.types.js';

type AuditRow = {
  id: string;
  occurred_at: Date;
  actor: string;
  action: string;
  target_type: string;
  target_id: string;
  before_data: unknown;
  after_data: unknown;
  reason: string | null;
  request_id: string | null;
  source_ip: string | null;
};

const COLUMNS =
  'id, occurred_at, actor, action, target_type, target_id, before_data, after_data, reason, request_id, source_ip';

/** Inserts and reads; nothing in this backend changes or removes a row, and the lint refuses the statement. */
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
      requestId?: string;
      sourceIp?: string;
    },
  ): Promise<void> {
    await tx.query(
      `INSERT INTO audit_logs
         (actor, action, target_type, target_id, before_data, after_data, reason, request_id, source_ip)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [
        entry.actor,
        entry.action,
        entry.targetType,
        entry.targetId,
        entry.before ? JSON.stringify(entry.before) : null,
        entry.after ? JSON.stringify(entry.after) : null,
        entry.reason ?? null,
        entry.requestId ?? null,
        entry.sourceIp ?? null,
      ],
    );
  }

  /** What was changed about these things, the newest first. */
  async listAbout(
    tx: Tx,
    about: { targetType: string; targetIds: readonly string[] },
    limit: number,
  ): Promise<AuditRecord[]> {
    const rows = await tx.query<AuditRow[]>(
      `SELECT ${COLUMNS} FROM audit_logs FORCE INDEX (idx_audit_logs_target)
        WHERE target_type = ? AND target_id IN (?) ORDER BY id DESC LIMIT ?`,
      [about.targetType, about.targetIds, limit],
    );
    return rows.map(toRecord);
  }

  /** The newest first, one more than the page holds. */
  async list(tx: Tx, filter: AuditFilter, page: PageRequest<AuditPosition>): Promise<AuditRecord[]> {
    const conditions: readonly (readonly [string, unknown])[] = [
      ['actor = ?', filter.actor],
      ['action = ?', filter.action],
      ['target_type = ?', filter.targetType],
      ['target_id = ?', filter.targetId],
      ['occurred_at >= ?', filter.from],
      ['occurred_at < ?', filter.to],
      ['id < ?', page.after?.id],
    ];
    const asked = conditions.filter(([, value]) => value !== undefined);
    const rows = await tx.query<AuditRow[]>(
      `SELECT ${COLUMNS}
         FROM audit_logs
        WHERE ${['TRUE', ...asked.map(([condition]) => condition)].join(' AND ')}
        ORDER BY id DESC LIMIT ?`,
      [...asked.map(([, value]) => value), page.limit + 1],
    );
    return rows.map(toRecord);
  }
}

function toRecord(row: AuditRow): AuditRecord {
  return {
    id: String(row.id),
    occurredAt: row.occurred_at,
    actor: row.actor,
    action: row.action,
    targetType: row.target_type,
    targetId: row.target_id,
    before: parsed(row.before_data),
    after: parsed(row.after_data),
    reason: row.reason,
    requestId: row.request_id,
    sourceIp: row.source_ip,
  };
}

/** MySQL gives JSON columns parsed, MariaDB as text. */
function parsed(data: unknown): Record<string, unknown> | null {
  return (typeof data === 'string' ? JSON.parse(data) : data) as Record<string, unknown> | null;
}
