import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../database/database-error.js';
import type { Tx } from '../database/unit-of-work.js';
import type { OutboxDelivery, OutboxSummary } from './outbox.types.js';

export type StagedFact = {
  readonly id: string;
  readonly topic: string;
  readonly key: string;
  readonly createdAt: Date;
};

/** A delivery that this process may make, as long as nobody else has claimed it since. */
export type ClaimedDelivery = OutboxDelivery & {
  readonly channel: string;
  readonly messageKey: string;
  readonly attempts: number;
  readonly wantedSince: Date;
  readonly claims: number;
};

export type DeliveryRow = Pick<ClaimedDelivery, 'id' | 'channel' | 'messageKey' | 'topic'> & {
  readonly status: 'pending' | 'sent' | 'failed' | 'distributed' | 'unwanted';
};

type FactRow = { id: string; topic: string; message_key: string; created_at: Date };
type ClaimRow = FactRow & {
  channel: string;
  payload: unknown;
  attempts: number;
  claims: number;
  wanted_since: Date;
};

/** A fact has no channel. */
const NO_CHANNEL = '';
const KEY_SEPARATOR = ':';
/** The character behind the separator, in the order of the column. */
const AFTER_KEY_SEPARATOR = ';';
const REASON_LENGTH_MAX = 500;

@Injectable()
export class OutboxRepository {
  /** @throws a duplicate-entry error when a notice with one of the keys is staged already: then none is written */
  async insert(
    tx: Tx,
    ...notices: readonly { topic: string; key: string; payload: Record<string, unknown> }[]
  ): Promise<void> {
    await tx.query('INSERT INTO outbox_messages (topic, message_key, payload) VALUES ?', [
      notices.map(({ topic, key, payload }) => [topic, key, JSON.stringify(payload)]),
    ]);
  }

  /** The oldest facts nobody else is at; their rows stay locked until `tx` ends. */
  async lockFacts(tx: Tx, limit: number): Promise<StagedFact[]> {
    const rows = await tx.query<FactRow[]>(
      `SELECT id, topic, message_key, created_at FROM outbox_messages
        WHERE status = 'pending' AND channel = ? AND available_at <= NOW(3)
        ORDER BY available_at, id LIMIT ? FOR UPDATE SKIP LOCKED`,
      [NO_CHANNEL, limit],
    );
    return rows.map((row) => ({
      id: row.id,
      topic: row.topic,
      key: row.message_key,
      createdAt: row.created_at,
    }));
  }

  /** A row for the telling of the fact over this channel; one that is there stays as it is. */
  async insertDelivery(tx: Tx, fact: StagedFact, channel: string): Promise<void> {
    try {
      await tx.query(
        `INSERT INTO outbox_messages (topic, channel, message_key, payload, wanted_since, created_at)
         SELECT topic, ?, ?, payload, created_at, created_at FROM outbox_messages WHERE id = ?`,
        [channel, `${fact.key}${KEY_SEPARATOR}${channel}`, fact.id],
      );
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
    }
  }

  async settleFacts(
    tx: Tx,
    ids: readonly string[],
    as: { status: 'distributed' | 'unwanted'; reason: string | null },
  ): Promise<void> {
    await tx.query(
      "UPDATE outbox_messages SET status = ?, last_error = ? WHERE id IN (?) AND status = 'pending'",
      [as.status, as.reason, ids],
    );
  }

  async postponeFacts(tx: Tx, ids: readonly string[], delayMs: number): Promise<void> {
    await tx.query(
      `UPDATE outbox_messages SET available_at = NOW(3) + INTERVAL ? MICROSECOND
        WHERE id IN (?) AND status = 'pending'`,
      [delayMs * 1000, ids],
    );
  }

  /** Puts aside what was meant for a channel and has been due for long without anybody to send it; at most `limit` rows. */
  async giveUpUnserved(
    tx: Tx,
    of: { channel: string; dueForMs: number; limit: number; reason: string },
  ): Promise<number> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM outbox_messages
        WHERE status = 'pending' AND channel = ? AND available_at <= NOW(3) - INTERVAL ? MICROSECOND
        ORDER BY available_at, id LIMIT ? FOR UPDATE SKIP LOCKED`,
      [of.channel, of.dueForMs * 1000, of.limit],
    );
    if (rows.length === 0) return 0;
    await tx.query("UPDATE outbox_messages SET status = 'unwanted', last_error = ? WHERE id IN (?)", [
      of.reason,
      rows.map(({ id }) => id),
    ]);
    return rows.length;
  }

  /** The longest-due delivery of the channel that nobody is at. It is hidden for `leaseMs`, so a crash gives it back by itself. */
  async claimNext(tx: Tx, from: { channel: string; leaseMs: number }): Promise<ClaimedDelivery | null> {
    const [row] = await tx.query<ClaimRow[]>(
      `SELECT id, topic, channel, message_key, payload, attempts, claims, wanted_since, created_at FROM outbox_messages
        WHERE status = 'pending' AND channel = ? AND available_at <= NOW(3)
        ORDER BY available_at, id LIMIT 1 FOR UPDATE SKIP LOCKED`,
      [from.channel],
    );
    if (!row) return null;
    await tx.query(
      `UPDATE outbox_messages SET claims = claims + 1, available_at = NOW(3) + INTERVAL ? MICROSECOND
        WHERE id = ?`,
      [from.leaseMs * 1000, row.id],
    );
    return toClaimed(row);
  }

  /** The end of a delivery. False when somebody else has claimed it meanwhile: their word counts then. */
  async settle(
    tx: Tx,
    claimed: ClaimedDelivery,
    as: { status: 'sent' | 'failed' | 'unwanted'; reason: string | null },
  ): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE outbox_messages
          SET status = ?, sent_at = IF(? = 'sent', NOW(3), sent_at), last_error = ?, attempts = attempts + IF(? = 'failed', 1, 0)
        WHERE id = ? AND status = 'pending' AND claims = ?`,
      [as.status, as.status, cut(as.reason), as.status, claimed.id, claimed.claims],
    );
    return result.affectedRows === 1;
  }

  /** Another try later. False when somebody else has claimed it meanwhile. */
  async postpone(
    tx: Tx,
    claimed: ClaimedDelivery,
    by: { delayMs: number; reason: string },
  ): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE outbox_messages
          SET attempts = attempts + 1, last_error = ?, available_at = NOW(3) + INTERVAL ? MICROSECOND
        WHERE id = ? AND status = 'pending' AND claims = ?`,
      [cut(by.reason), by.delayMs * 1000, claimed.id, claimed.claims],
    );
    return result.affectedRows === 1;
  }

  /** An ended delivery is due again, as if its fact were new; one that is due already is left alone. */
  async reopen(tx: Tx, id: string, wantedSince: Date): Promise<void> {
    await tx.query(
      `UPDATE outbox_messages
          SET status = 'pending', attempts = 0, claims = claims + 1, available_at = NOW(3), wanted_since = ?, last_error = NULL
        WHERE id = ? AND status IN ('sent', 'failed')`,
      [wantedSince, id],
    );
  }

  /** The facts with these keys and their tellings, the newest first. A key and its separator are a range of the unique index. */
  async listAbout(tx: Tx, keys: readonly string[], limit: number): Promise<OutboxSummary[]> {
    type Row = Pick<OutboxSummary, 'id' | 'topic' | 'channel' | 'status' | 'attempts'> & {
      created_at: Date;
      sent_at: Date | null;
    };
    const isAbout = keys.map(() => 'message_key = ? OR (message_key > ? AND message_key < ?)').join(' OR ');
    const rows = await tx.query<Row[]>(
      `SELECT id, topic, channel, status, attempts, created_at, sent_at
         FROM outbox_messages FORCE INDEX (uq_outbox_messages_message_key)
        WHERE ${isAbout} ORDER BY id DESC LIMIT ?`,
      [...keys.flatMap((key) => [key, key + KEY_SEPARATOR, key + AFTER_KEY_SEPARATOR]), limit],
    );
    return rows.map(({ created_at: createdAt, sent_at: sentAt, ...row }) => ({
      id: String(row.id),
      topic: row.topic,
      channel: row.channel,
      status: row.status,
      attempts: row.attempts,
      createdAt,
      sentAt,
    }));
  }

  /** The row, locked until `tx` ends. */
  async lockRow(tx: Tx, id: string): Promise<DeliveryRow | null> {
    type Row = {
      id: string;
      topic: string;
      channel: string;
      message_key: string;
      status: DeliveryRow['status'];
    };
    const [row] = await tx.query<Row[]>(
      'SELECT id, topic, channel, message_key, status FROM outbox_messages WHERE id = ? FOR UPDATE',
      [id],
    );
    if (!row) return null;
    const { topic, channel, status } = row;
    return { id: row.id, topic, channel, messageKey: row.message_key, status };
  }
}

function toClaimed(row: ClaimRow): ClaimedDelivery {
  return {
    id: row.id,
    topic: row.topic,
    channel: row.channel,
    messageKey: row.message_key,
    noticeId: row.message_key.slice(0, -(row.channel.length + KEY_SEPARATOR.length)),
    // MariaDB keeps JSON as text, MySQL parses it.
    payload: (typeof row.payload === 'string' ? JSON.parse(row.payload) : row.payload) as Record<
      string,
      unknown
    >,
    attempts: row.attempts,
    claims: row.claims + 1,
    wantedSince: row.wanted_since,
    stagedAt: row.created_at,
  };
}

function cut(reason: string | null): string | null {
  return reason?.slice(0, REASON_LENGTH_MAX) ?? null;
}
