import { Injectable } from '@nestjs/common';
import type { PageRequest } from '../../shared/page.js';
import { countUpToLimit } from '../database/bounded-count.js';
import type { Tx } from '../database/unit-of-work.js';
import type { OutboxPosition, OutboxRecord, OutboxState } from './outbox.types.js';

type ViewRow = {
  id: string;
  topic: string;
  channel: string;
  message_key: string;
  status: OutboxState;
  attempts: number;
  available_at: Date;
  sent_at: Date | null;
  last_error: string | null;
  created_at: Date;
};

/** The outbox as operators see it. */
@Injectable()
export class OutboxViewsRepository {
  /** The newest first, one more than the page holds. */
  async list(
    tx: Tx,
    filter: { status?: OutboxState; channel?: string; topic?: string; keys?: readonly string[] },
    page: PageRequest<OutboxPosition>,
  ): Promise<OutboxRecord[]> {
    const conditions: readonly (readonly [string, unknown])[] = [
      ['status = ?', filter.status],
      ['channel = ?', filter.channel],
      ['topic = ?', filter.topic],
      ['message_key IN (?)', filter.keys],
      ['id < ?', page.after?.id],
    ];
    const asked = conditions.filter(([, value]) => value !== undefined);
    const rows = await tx.query<ViewRow[]>(
      `SELECT id, topic, channel, message_key, status, attempts, available_at, sent_at, last_error, created_at
         FROM outbox_messages
        WHERE ${['TRUE', ...asked.map(([condition]) => condition)].join(' AND ')}
        ORDER BY id DESC LIMIT ?`,
      [...asked.map(([, value]) => value), page.limit + 1],
    );
    return rows.map(toRecord);
  }

  async count(tx: Tx, channel: string, status: 'pending' | 'failed'): Promise<number> {
    return countUpToLimit(tx, 'outbox_messages WHERE status = ? AND channel = ?', [status, channel]);
  }

  /** For how long the first one has been due; 0 when none is. */
  async oldestDueSeconds(tx: Tx, channel: string): Promise<number> {
    const [oldest] = await tx.query<{ age: string | number }[]>(
      `SELECT GREATEST(0, TIMESTAMPDIFF(SECOND, available_at, NOW(3))) AS age FROM outbox_messages
        WHERE status = 'pending' AND channel = ? ORDER BY available_at LIMIT 1`,
      [channel],
    );
    return Number(oldest?.age ?? 0);
  }
}

function toRecord(row: ViewRow): OutboxRecord {
  return {
    id: String(row.id),
    topic: row.topic,
    channel: row.channel || null,
    key: row.message_key,
    status: row.status,
    attempts: row.attempts,
    dueAt: row.available_at,
    sentAt: row.sent_at,
    lastError: row.last_error,
    createdAt: row.created_at,
  };
}
