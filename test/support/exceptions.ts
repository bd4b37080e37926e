import { newOutTradeNo } from './builders.js';
import type { TestDatabase } from './database.js';

/** An exception as the backend raises one, put into the table directly; its id. */
export async function raiseException(
  database: TestDatabase,
  raised: { kind: string; subject?: string; detail?: Record<string, unknown>; status?: string },
): Promise<string> {
  const { kind, subject = newOutTradeNo(), detail = {}, status = 'open' } = raised;
  await database.query(
    'INSERT INTO exceptions (kind, subject, reason, detail, status) VALUES (?, ?, ?, ?, ?)',
    [kind, subject, 'of the tests', JSON.stringify(detail), status],
  );
  return exceptionIdOf(database, kind, subject);
}

export async function exceptionIdOf(database: TestDatabase, kind: string, subject: string): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    'SELECT id FROM exceptions WHERE kind = ? AND subject = ?',
    [kind, subject],
  );
  if (!row) throw new Error(`there is no ${kind} about ${subject}`);
  return String(row.id);
}

/** What operators did about a thing, the oldest first. */
export function auditOf(
  database: TestDatabase,
  targetId: string,
): Promise<{ actor: string; action: string; reason: string | null }[]> {
  return database.query('SELECT actor, action, reason FROM audit_logs WHERE target_id = ? ORDER BY id', [
    targetId,
  ]);
}
