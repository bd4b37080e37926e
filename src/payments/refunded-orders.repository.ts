import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

/** Granted and not revoked; WeChat Pay has not contradicted it. */
const LEDGER = `
  LEFT JOIN entitlement_grants g ON g.out_trade_no = o.out_trade_no AND g.entry = 'grant'
  LEFT JOIN entitlement_grants r ON r.out_trade_no = o.out_trade_no AND r.entry = 'revocation'
  LEFT JOIN exceptions e ON e.kind = 'refund_conflict' AND e.subject = o.out_trade_no AND e.status <> 'resolved'`;
const IS_UNREVOKED = 'g.id IS NOT NULL AND r.id IS NULL AND e.id IS NULL';

/** Orders that a caller's row calls refunded while their user still has what they gave. */
@Injectable()
export class RefundedOrdersRepository {
  /** One range of the index on (status, updated_at): the cost follows the window. */
  async listUnrevokedRecent(tx: Tx, page: { windowSeconds: number; limit: number }): Promise<string[]> {
    const rows = await tx.query<{ out_trade_no: string }[]>(
      `SELECT o.out_trade_no FROM payment_orders o FORCE INDEX (idx_payment_orders_status_updated) ${LEDGER}
        WHERE o.status = 'refunded' AND o.updated_at >= NOW() - INTERVAL ? SECOND AND ${IS_UNREVOKED}
        ORDER BY o.updated_at LIMIT ?`,
      [page.windowSeconds, page.limit],
    );
    return this.withoutRefund(tx, rows);
  }

  /**
   * The next `limit` refunded orders by id, and those of them that are unrevoked: one bounded step of a pass over all of them.
   * They lie scattered among all orders, so that each of a large table is a page of its own to read: once is enough.
   */
  async readStep(
    tx: Tx,
    page: { afterId: string; limit: number },
  ): Promise<{ lastId: string | null; length: number; unrevoked: string[] }> {
    const rows = await tx.query<{ id: string; out_trade_no: string; is_unrevoked: string | number }[]>(
      `SELECT o.id, o.out_trade_no, ${IS_UNREVOKED} AS is_unrevoked
         FROM (SELECT id, out_trade_no FROM payment_orders FORCE INDEX (idx_status)
                WHERE status = 'refunded' AND id > ? ORDER BY id LIMIT ?) o ${LEDGER}
        ORDER BY o.id`,
      [page.afterId, page.limit],
    );
    return {
      lastId: rows.at(-1)?.id ?? null,
      length: rows.length,
      unrevoked: await this.withoutRefund(
        tx,
        rows.filter((row) => Number(row.is_unrevoked) === 1),
      ),
    };
  }

  /** A known refund follows its own way to the same end. Asked apart: the two tables may compare text differently. */
  private async withoutRefund(tx: Tx, rows: readonly { out_trade_no: string }[]): Promise<string[]> {
    const numbers = rows.map((row) => row.out_trade_no);
    if (numbers.length === 0) return [];
    const refunds = await tx.query<{ out_trade_no: string }[]>(
      "SELECT DISTINCT out_trade_no FROM refunds WHERE out_trade_no IN (?) AND COALESCE(NULLIF(status, ''), 'pending') <> 'closed'",
      [numbers],
    );
    const known = new Set(refunds.map((row) => row.out_trade_no));
    return numbers.filter((number) => !known.has(number));
  }
}
