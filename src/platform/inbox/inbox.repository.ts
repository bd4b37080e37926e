import { Injectable } from '@nestjs/common';
import { countUpToLimit } from '../database/bounded-count.js';
import { isDatabaseUnavailable, isDuplicateEntry } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import type { SpoolRecord } from '../spool/spool-protocol.js';
import type { InboxItem, InboxSummary } from './inbox.types.js';

/** A rival replica may store the same messages between our look and our insert; each round its rows become visible. */
const INSERT_ROUNDS_MAX = 3;
export type InboxBacklog = {
  readonly pending: number;
  readonly quarantined: number;
  readonly oldestAgeSeconds: number;
};

type ItemRow = {
  id: string;
  topic: string;
  out_trade_no: string;
  payload: unknown;
  received_at: Date;
  attempts: number;
  outcome: string | null;
  due_for_us: string | number;
};

const ITEM_COLUMNS = `id, topic, out_trade_no, payload, received_at, attempts, outcome,
  TIMESTAMPDIFF(MICROSECOND, available_at, NOW(3)) AS due_for_us`;

@Injectable()
export class InboxRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /**
   * Stores the records in one statement. Those already there stay as they are, but a repeat of a quarantined one
   * is a reason to try it again. All are durable when it returns.
   */
  async insertMany(records: readonly SpoolRecord[]): Promise<void> {
    // One order of keys everywhere, so that two replicas with the same messages cannot deadlock.
    let missing = [...new Map(records.map((record) => [record.dedupeKey, record])).values()].sort(
      byDedupeKey,
    );
    for (let round = 1; missing.length > 0; round += 1) {
      try {
        await this.insert(missing);
        return;
      } catch (error) {
        if (!isDuplicateEntry(error) || round > INSERT_ROUNDS_MAX) throw error;
        const stored = await this.storedKeys(missing.map(({ dedupeKey }) => dedupeKey));
        await this.reopenQuarantined([...stored]);
        missing = missing.filter(({ dedupeKey }) => !stored.has(dedupeKey));
      }
    }
  }

  /** Which of these messages MySQL has, read back from committed rows. */
  async storedKeys(dedupeKeys: readonly string[]): Promise<Set<string>> {
    if (dedupeKeys.length === 0) return new Set();
    const rows = await this.unitOfWork.reader.query<{ dedupe_key: string }[]>(
      'SELECT dedupe_key FROM inbox_messages WHERE dedupe_key IN (?)',
      [dedupeKeys],
    );
    return new Set(rows.map((row) => row.dedupe_key));
  }

  /** The longest-due messages nobody else is at; their rows stay locked until `tx` ends, so a crash gives them back. */
  async claimDue(tx: Tx, limit: number): Promise<InboxItem[]> {
    const rows = await tx.query<ItemRow[]>(
      `SELECT ${ITEM_COLUMNS} FROM inbox_messages
        WHERE status = 'pending' AND available_at <= NOW(3)
        ORDER BY available_at, id LIMIT ? FOR UPDATE SKIP LOCKED`,
      [limit],
    );
    return rows.map(toItem);
  }

  /** This message, locked like those of {@link claimDue}, unless somebody else is at it or has settled it. */
  async claim(tx: Tx, id: string): Promise<InboxItem | null> {
    const [row] = await tx.query<ItemRow[]>(
      `SELECT ${ITEM_COLUMNS} FROM inbox_messages WHERE id = ? AND status = 'pending' FOR UPDATE SKIP LOCKED`,
      [id],
    );
    return row ? toItem(row) : null;
  }

  /** For whoever claimed them and goes on to apply each alone: nobody else looks at them meanwhile, and a crash gives them back. */
  async hide(tx: Tx, ids: readonly string[], forMs: number): Promise<void> {
    if (ids.length === 0) return;
    await tx.query(
      'UPDATE inbox_messages SET available_at = NOW(3) + INTERVAL ? MICROSECOND WHERE id IN (?)',
      [forMs * 1000, ids],
    );
  }

  /** @returns how many of them were pending, and are settled now */
  async settle(
    tx: Tx,
    ids: readonly string[],
    as: { status: 'handled' | 'quarantined'; outcome: string },
  ): Promise<number> {
    const { affectedRows } = await tx.query<{ affectedRows: number }>(
      "UPDATE inbox_messages SET status = ?, outcome = ?, handled_at = NOW(3) WHERE id IN (?) AND status = 'pending'",
      [as.status, as.outcome.slice(0, 60), ids],
    );
    return affectedRows;
  }

  /** Puts messages off; `failed` when an error of our own is the cause, which counts towards the tries it has. */
  async postpone(
    tx: Tx,
    ids: readonly string[],
    by: { delayMs: number; reason: string; failed: boolean },
  ): Promise<void> {
    await tx.query(
      `UPDATE inbox_messages
          SET attempts = attempts + ?, last_error = ?, available_at = NOW(3) + INTERVAL ? MICROSECOND
        WHERE id IN (?) AND status = 'pending'`,
      [by.failed ? 1 : 0, by.reason.slice(0, 500), by.delayMs * 1000, ids],
    );
  }

  /**
   * Makes waiting or quarantined messages of orders due now: what they missed has come.
   * @throws the first error, when all the others are due
   */
  async release(outTradeNos: readonly string[], topic: string): Promise<void> {
    const { reader } = this.unitOfWork;
    // Read first: most orders have none, and those that have are then waited for one by one and not with the others held.
    const rows = await reader.query<{ id: string }[]>(
      `SELECT id FROM inbox_messages FORCE INDEX (idx_inbox_messages_out_trade_no)
        WHERE out_trade_no IN (?) AND topic = ? AND status IN ('pending', 'quarantined')`,
      [outTradeNos, topic],
    );
    const failures: unknown[] = [];
    for (const { id } of rows) {
      await reader
        .query(
          "UPDATE inbox_messages SET status = 'pending', available_at = NOW(3) WHERE id = ? AND status IN ('pending', 'quarantined')",
          [id],
        )
        .catch((error: unknown) => {
          if (isDatabaseUnavailable(error)) throw error;
          failures.push(error);
        });
    }
    if (failures.length > 0) throw failures[0];
  }

  /** The messages about an order, the newest first. */
  async listAbout(outTradeNo: string, limit: number): Promise<InboxSummary[]> {
    type Row = Pick<InboxSummary, 'topic' | 'status' | 'outcome' | 'attempts'> & {
      received_at: Date;
      handled_at: Date | null;
    };
    const rows = await this.unitOfWork.reader.query<Row[]>(
      `SELECT topic, status, outcome, attempts, received_at, handled_at
         FROM inbox_messages FORCE INDEX (idx_inbox_messages_out_trade_no)
        WHERE out_trade_no = ? ORDER BY id DESC LIMIT ?`,
      [outTradeNo, limit],
    );
    return rows.map(({ received_at: receivedAt, handled_at: handledAt, ...row }) => ({
      topic: row.topic,
      status: row.status,
      outcome: row.outcome,
      attempts: row.attempts,
      receivedAt,
      handledAt,
    }));
  }

  async backlog(): Promise<InboxBacklog> {
    const { reader } = this.unitOfWork;
    const count = (status: string) => countUpToLimit(reader, 'inbox_messages WHERE status = ?', [status]);
    const [oldest] = await reader.query<{ age: string | number }[]>(
      `SELECT GREATEST(0, TIMESTAMPDIFF(SECOND, available_at, NOW(3))) AS age FROM inbox_messages
        WHERE status = 'pending' ORDER BY available_at LIMIT 1`,
    );
    return {
      pending: await count('pending'),
      quarantined: await count('quarantined'),
      oldestAgeSeconds: Number(oldest?.age ?? 0),
    };
  }

  private async reopenQuarantined(dedupeKeys: readonly string[]): Promise<void> {
    if (dedupeKeys.length === 0) return;
    const { reader } = this.unitOfWork;
    // Read first: an UPDATE by key would wait for messages that are being applied, and the edge with it.
    const rows = await reader.query<{ id: string }[]>(
      "SELECT id FROM inbox_messages WHERE dedupe_key IN (?) AND status = 'quarantined'",
      [dedupeKeys],
    );
    if (rows.length === 0) return;
    await reader.query(
      "UPDATE inbox_messages SET status = 'pending', available_at = NOW(3) WHERE id IN (?) AND status = 'quarantined'",
      [rows.map(({ id }) => id)],
    );
  }

  private async insert(records: readonly SpoolRecord[]): Promise<void> {
    const rows = records.map((record) => [
      record.topic,
      record.dedupeKey,
      record.outTradeNo,
      record.payload,
      new Date(record.receivedAtMs),
    ]);
    await this.unitOfWork.reader.query(
      'INSERT INTO inbox_messages (topic, dedupe_key, out_trade_no, payload, received_at) VALUES ?',
      [rows],
    );
  }
}

function toItem(row: ItemRow): InboxItem {
  return {
    id: row.id,
    topic: row.topic,
    outTradeNo: row.out_trade_no,
    // MariaDB keeps JSON as text, MySQL parses it.
    payload: typeof row.payload === 'string' ? JSON.parse(row.payload) : row.payload,
    receivedAt: row.received_at,
    dueForMs: Number(row.due_for_us) / 1_000,
    attempts: row.attempts,
    quarantinedAs: row.outcome,
  };
}

function byDedupeKey(a: SpoolRecord, b: SpoolRecord): number {
  return a.dedupeKey < b.dedupeKey ? -1 : 1;
}
