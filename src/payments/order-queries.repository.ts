import { Injectable } from '@nestjs/common';
import { countUpToLimit } from '../platform/database/bounded-count.js';
import { foldText } from '../platform/database/collation.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { OpenQuestion } from './orders.types.js';

export type DueQuery = {
  readonly outTradeNo: string;
  readonly asks: number;
  /** Questions in a row, before this one, that got no answer. */
  readonly unanswered: number;
  readonly createdAt: Date;
  /** How long it had been due when it was claimed, by the database's clock. */
  readonly dueForMs: number;
};

type QueryRow = { out_trade_no: string; asks: number; unanswered: number; created_at: Date };
type DueRow = QueryRow & { due_for_us: string | number };

/**
 * Hearsay is repeated, and may be forged: it has the same order asked about again after 16 s at the soonest, and after a
 * longer pause each time. The first pause is longer than an asker at work needs, so it is not asked twice at once.
 */
const HURRY_BASE_SECONDS = 8;
const HURRY_SECONDS_MAX = 300;

@Injectable()
export class OrderQueriesRepository {
  /** Has the order asked about within `delayMs`; a question that is due sooner stays so. */
  async plan(tx: Tx, outTradeNo: string, delayMs: number): Promise<void> {
    if (await this.hurry(tx, [outTradeNo], delayMs)) return;
    if (await this.planOnce(tx, outTradeNo, delayMs)) return;
    await this.hurry(tx, [outTradeNo], delayMs);
  }

  /** Like {@link plan}, now, for many orders. */
  async planAll(tx: Tx, outTradeNos: readonly string[]): Promise<void> {
    if (outTradeNos.length === 0) return;
    const found = await tx.query<{ out_trade_no: string }[]>(
      'SELECT out_trade_no FROM order_queries WHERE out_trade_no IN (?)',
      [outTradeNos],
    );
    const planned = new Set(found.map((row) => foldText(row.out_trade_no)));
    const missing = outTradeNos.filter((outTradeNo) => !planned.has(foldText(outTradeNo)));
    const known = outTradeNos.filter((outTradeNo) => planned.has(foldText(outTradeNo)));
    if (known.length > 0) await this.hurry(tx, known, 0);
    if (missing.length > 0 && !(await this.insertAll(tx, missing))) {
      for (const outTradeNo of missing) await this.plan(tx, outTradeNo, 0);
    }
  }

  /** Like {@link plan}, but leaves a question that is planned already. True when it was not. */
  async planOnce(tx: Tx, outTradeNo: string, delayMs: number): Promise<boolean> {
    try {
      await tx.query(
        'INSERT INTO order_queries (out_trade_no, due_at) VALUES (?, NOW(3) + INTERVAL ? MICROSECOND)',
        [outTradeNo, Math.round(delayMs) * 1000],
      );
      return true;
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      return false;
    }
  }

  /** The longest-due questions nobody else is asking. They are hidden for `leaseMs`, so a crash gives them back by itself. */
  async claimDue(tx: Tx, page: { limit: number; leaseMs: number }): Promise<DueQuery[]> {
    const rows = await tx.query<DueRow[]>(
      `SELECT out_trade_no, asks, unanswered, created_at,
              TIMESTAMPDIFF(MICROSECOND, due_at, NOW(3)) AS due_for_us
         FROM order_queries
        WHERE due_at <= NOW(3) ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED`,
      [page.limit],
    );
    if (rows.length === 0) return [];
    await tx.query(
      `UPDATE order_queries SET asks = asks + 1, asked_at = NOW(3), due_at = NOW(3) + INTERVAL ? MICROSECOND
        WHERE out_trade_no IN (?)`,
      [page.leaseMs * 1000, rows.map((row) => row.out_trade_no)],
    );
    return rows.map((row) => ({
      outTradeNo: row.out_trade_no,
      asks: row.asks,
      unanswered: row.unanswered,
      createdAt: row.created_at,
      dueForMs: Number(row.due_for_us) / 1_000,
    }));
  }

  /** What {@link claimDue} did to them is undone, as far as it counts. */
  async giveBack(tx: Tx, queries: readonly DueQuery[]): Promise<void> {
    if (queries.length === 0) return;
    await tx.query(
      'UPDATE order_queries SET asks = GREATEST(asks, 1) - 1, due_at = NOW(3) WHERE out_trade_no IN (?)',
      [queries.map(({ outTradeNo }) => outTradeNo)],
    );
  }

  /** Asked, and to be asked again; `unanswered` starts anew with every answer. */
  async postpone(
    tx: Tx,
    outTradeNo: string,
    by: { delayMs: number; answer: string; unanswered: number },
  ): Promise<void> {
    await tx.query(
      `UPDATE order_queries SET due_at = NOW(3) + INTERVAL ? MICROSECOND, last_answer = ?, unanswered = ?
        WHERE out_trade_no = ?`,
      [Math.round(by.delayMs) * 1000, by.answer.slice(0, 40), by.unanswered, outTradeNo],
    );
  }

  async find(tx: Tx, outTradeNo: string): Promise<OpenQuestion | null> {
    type Row = QueryRow & { asked_at: Date | null; last_answer: string | null; due_at: Date };
    const [row] = await tx.query<Row[]>(
      `SELECT out_trade_no, asks, unanswered, created_at, asked_at, last_answer, due_at
         FROM order_queries WHERE out_trade_no = ?`,
      [outTradeNo],
    );
    if (!row) return null;
    return {
      createdAt: row.created_at,
      askedAt: row.asked_at,
      asks: row.asks,
      unanswered: row.unanswered,
      lastAnswer: row.last_answer,
      dueAt: row.due_at,
    };
  }

  async backlog(tx: Tx): Promise<{ due: number; oldestDueSeconds: number }> {
    const [oldest] = await tx.query<{ age: string | number }[]>(
      `SELECT GREATEST(0, TIMESTAMPDIFF(SECOND, due_at, NOW(3))) AS age FROM order_queries
        ORDER BY due_at LIMIT 1`,
    );
    return {
      due: await countUpToLimit(tx, 'order_queries WHERE due_at <= NOW(3)'),
      oldestDueSeconds: Number(oldest?.age ?? 0),
    };
  }

  async remove(tx: Tx, ...outTradeNos: readonly string[]): Promise<void> {
    if (outTradeNos.length === 0) return;
    await tx.query('DELETE FROM order_queries WHERE out_trade_no IN (?)', [outTradeNos]);
  }

  /** False when one of them was planned meanwhile; nothing is inserted then. */
  private async insertAll(tx: Tx, outTradeNos: readonly string[]): Promise<boolean> {
    const rows = outTradeNos.map(() => '(?, NOW(3))').join(', ');
    try {
      await tx.query(`INSERT INTO order_queries (out_trade_no, due_at) VALUES ${rows}`, [...outTradeNos]);
      return true;
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      return false;
    }
  }

  /** False when no question is planned. */
  private async hurry(tx: Tx, outTradeNos: readonly string[], delayMs: number): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE order_queries
          SET due_at = LEAST(due_at, GREATEST(NOW(3) + INTERVAL ? MICROSECOND,
            COALESCE(asked_at + INTERVAL LEAST(? * POW(2, LEAST(asks, 10)), ?) SECOND, NOW(3))))
        WHERE out_trade_no IN (?)`,
      [Math.round(delayMs) * 1000, HURRY_BASE_SECONDS, HURRY_SECONDS_MAX, outTradeNos],
    );
    return result.affectedRows > 0;
  }
}
