import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work.js';
import type { ExceptionRecord, ExceptionSummary } from './exceptions.types.js';

type NewException = {
  kind: string;
  subject: string;
  reason: string;
  detail?: Record<string, unknown>;
  isNews?: boolean;
};

const REASON_LENGTH_MAX = 500;

@Injectable()
export class ExceptionsRepository {
  /** @throws a duplicate-entry error when the kind is already known for this subject */
  async insert(tx: Tx, { kind, subject, reason, detail }: NewException): Promise<void> {
    await tx.query('INSERT INTO exceptions (kind, subject, reason, detail) VALUES (?, ?, ?, ?)', [
      kind,
      subject,
      reason.slice(0, REASON_LENGTH_MAX),
      JSON.stringify(detail ?? {}),
    ]);
  }

  /** Opens what was resolved, and with news also what was dismissed; an open one takes over the news. */
  async reopen(tx: Tx, { kind, subject, reason, detail, isNews = false }: NewException): Promise<void> {
    await tx.query(
      `UPDATE exceptions
          SET opened_at = IF(status = 'open', opened_at, NOW(3)), status = 'open', reason = ?, detail = ?,
              resolved_at = NULL, resolved_by = NULL, resolution = NULL
        WHERE kind = ? AND subject = ? AND (? OR status = 'resolved')`,
      [reason.slice(0, REASON_LENGTH_MAX), JSON.stringify(detail ?? {}), kind, subject, isNews],
    );
  }

  async find(
    tx: Tx,
    kind: string,
    subject: string,
  ): Promise<Pick<ExceptionRecord, 'status' | 'reason' | 'detail'> | null> {
    type Row = { status: ExceptionRecord['status']; reason: string; detail: unknown };
    const [row] = await tx.query<Row[]>(
      'SELECT status, reason, detail FROM exceptions WHERE kind = ? AND subject = ?',
      [kind, subject],
    );
    if (!row) return null;
    // MariaDB keeps JSON as text, MySQL parses it.
    const detail: unknown = typeof row.detail === 'string' ? JSON.parse(row.detail) : row.detail;
    return { status: row.status, reason: row.reason, detail: (detail ?? {}) as Record<string, unknown> };
  }

  /** Those of the subjects about which something is open or was dismissed, locked until `tx` ends. */
  async lockUnresolvedSubjects(tx: Tx, subjects: readonly string[]): Promise<string[]> {
    const rows = await tx.query<{ subject: string }[]>(
      `SELECT subject FROM exceptions FORCE INDEX (idx_exceptions_subject)
        WHERE subject IN (?) AND status <> 'resolved' FOR UPDATE`,
      [subjects],
    );
    return rows.map(({ subject }) => subject);
  }

  /** The newest first, without the reasons. */
  async listAbout(tx: Tx, subjects: readonly string[], limit: number): Promise<ExceptionSummary[]> {
    type Row = {
      id: string | number;
      kind: string;
      subject: string;
      status: ExceptionSummary['status'];
      opened_at: Date;
      resolved_at: Date | null;
      resolved_by: string | null;
    };
    const rows = await tx.query<Row[]>(
      `SELECT id, kind, subject, status, opened_at, resolved_at, resolved_by
         FROM exceptions FORCE INDEX (idx_exceptions_subject)
        WHERE subject IN (?) ORDER BY id DESC LIMIT ?`,
      [subjects, limit],
    );
    return rows.map((row) => ({
      id: String(row.id),
      kind: row.kind,
      subject: row.subject,
      status: row.status,
      openedAt: row.opened_at,
      resolvedAt: row.resolved_at,
      resolvedBy: row.resolved_by,
    }));
  }

  /** How many open items were closed. */
  async resolveOpen(
    tx: Tx,
    done: { kinds: readonly string[]; subject: string; by: string; resolution: string },
  ): Promise<number> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE exceptions SET status = 'resolved', resolved_at = NOW(3), resolved_by = ?, resolution = ?
        WHERE kind IN (?) AND subject = ? AND status = 'open'`,
      [done.by, done.resolution.slice(0, REASON_LENGTH_MAX), done.kinds, done.subject],
    );
    return result.affectedRows;
  }
}
