import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../shared/page.js';
import { COUNT_MAX } from '../database/bounded-count.js';
import type { Tx } from '../database/unit-of-work.js';
import type {
  ExceptionFilter,
  ExceptionPosition,
  ExceptionRecord,
  ExceptionState,
} from './exceptions.types.js';

type ExceptionRow = {
  id: string;
  kind: string;
  subject: string;
  reason: string;
  detail: unknown;
  status: ExceptionState;
  opened_at: Date;
  resolved_at: Date | null;
  resolved_by: string | null;
  resolution: string | null;
};

const SELECT =
  'SELECT id, kind, subject, reason, detail, status, opened_at, resolved_at, resolved_by, resolution FROM exceptions';

/** Exceptions as operators see and end them. */
@Injectable()
export class ExceptionViewsRepository {
  async find(tx: Tx, id: string): Promise<ExceptionRecord | null> {
    const [row] = await tx.query<ExceptionRow[]>(`${SELECT} WHERE id = ?`, [id]);
    return row ? toRecord(row) : null;
  }

  async lock(tx: Tx, id: string): Promise<ExceptionRecord | null> {
    const [row] = await tx.query<ExceptionRow[]>(`${SELECT} WHERE id = ? FOR UPDATE`, [id]);
    return row ? toRecord(row) : null;
  }

  /** The newest first, one more than the page holds. */
  async list(
    tx: Tx,
    filter: ExceptionFilter,
    page: PageRequest<ExceptionPosition>,
  ): Promise<ExceptionRecord[]> {
    const conditions: [string, unknown[]][] = [];
    if (filter.status) conditions.push(['status = ?', [filter.status]]);
    if (filter.kind) conditions.push(['kind = ?', [filter.kind]]);
    if (filter.subject) conditions.push(['subject = ?', [filter.subject]]);
    if (filter.from) conditions.push(['opened_at >= ?', [filter.from]]);
    if (filter.to) conditions.push(['opened_at < ?', [filter.to]]);
    if (page.after) {
      const at = new Date(page.after.openedAt);
      conditions.push(['(opened_at < ? OR (opened_at = ? AND id < ?))', [at, at, page.after.id]]);
    }
    const where = conditions.map(([condition]) => condition).join(' AND ') || 'TRUE';
    const rows = await tx.query<ExceptionRow[]>(
      `${SELECT} WHERE ${where} ORDER BY opened_at DESC, id DESC LIMIT ?`,
      [...conditions.flatMap(([, values]) => values), page.limit + 1],
    );
    return rows.map(toRecord);
  }

  /** Ends an open one. False when it is not open any more. */
  async end(
    tx: Tx,
    id: string,
    as: { status: 'resolved' | 'dismissed'; by: string; resolution: string },
  ): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE exceptions SET status = ?, resolved_at = NOW(3), resolved_by = ?, resolution = ?
        WHERE id = ? AND status = 'open'`,
      [as.status, as.by, as.resolution, id],
    );
    return result.affectedRows === 1;
  }

  /** dismissed → open; it keeps its place in the list. */
  async reopenDismissed(tx: Tx, id: string): Promise<void> {
    await tx.query(
      `UPDATE exceptions SET status = 'open', resolved_at = NULL, resolved_by = NULL, resolution = NULL
        WHERE id = ? AND status = 'dismissed'`,
      [id],
    );
  }

  /** How many of each kind are open, counted up to a limit over all kinds. */
  async countOpen(tx: Tx): Promise<{ kind: string; count: number }[]> {
    const rows = await tx.query<{ kind: string; n: string | number }[]>(
      `SELECT kind, COUNT(*) AS n FROM (SELECT kind FROM exceptions WHERE status = 'open' LIMIT ?) AS some
        GROUP BY kind ORDER BY kind`,
      [COUNT_MAX],
    );
    return rows.map(({ kind, n }) => ({ kind, count: Number(n) }));
  }
}

function toRecord(row: ExceptionRow): ExceptionRecord {
  // MariaDB keeps JSON as text, MySQL parses it.
  const detail = (typeof row.detail === 'string' ? JSON.parse(row.detail) : row.detail) as unknown;
  return {
    id: String(row.id),
    kind: row.kind,
    subject: row.subject,
    reason: row.reason,
    detail: (detail ?? {}) as Record<string, unknown>,
    status: row.status,
    openedAt: row.opened_at,
    resolvedAt: row.resolved_at,
    resolvedBy: row.resolved_by,
    resolution: row.resolution,
  };
}
