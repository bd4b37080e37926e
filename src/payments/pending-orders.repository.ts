import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

/** A pending order to ask about. */
export type PendingOrder = {
  readonly id: string;
  readonly outTradeNo: string;
  readonly createdAt: Date | null;
};

type PendingOrderRow = { id: string; out_trade_no: string; created_at: Date | null };

/** Which orders are pending, read for the questions to WeChat Pay. */
@Injectable()
export class PendingOrdersRepository {
  /** Pending orders that changed lately and about which nobody asks WeChat Pay yet. */
  async listUnaskedRecent(tx: Tx, page: { windowSeconds: number; limit: number }): Promise<PendingOrder[]> {
    const rows = await tx.query<PendingOrderRow[]>(
      `SELECT o.id, o.out_trade_no, o.created_at
         FROM payment_orders o FORCE INDEX (idx_payment_orders_status_updated)
         LEFT JOIN order_queries q ON q.out_trade_no = o.out_trade_no
        WHERE o.status = 'pending' AND o.updated_at >= NOW() - INTERVAL ? SECOND AND q.out_trade_no IS NULL
        ORDER BY o.updated_at LIMIT ?`,
      [page.windowSeconds, page.limit],
    );
    return rows.map(toPending);
  }

  /** The next `limit` pending orders by id, asked about or not: one bounded step of a pass over all of them. */
  async listPendingById(
    tx: Tx,
    page: { afterId: string; limit: number },
  ): Promise<(PendingOrder & { isAsked: boolean })[]> {
    const rows = await tx.query<(PendingOrderRow & { is_asked: string | number })[]>(
      `SELECT o.id, o.out_trade_no, o.created_at, q.out_trade_no IS NOT NULL AS is_asked
         FROM payment_orders o FORCE INDEX (idx_status)
         LEFT JOIN order_queries q ON q.out_trade_no = o.out_trade_no
        WHERE o.status = 'pending' AND o.id > ? ORDER BY o.id LIMIT ?`,
      [page.afterId, page.limit],
    );
    return rows.map((row) => ({ ...toPending(row), isAsked: Number(row.is_asked) === 1 }));
  }
}

function toPending(row: PendingOrderRow): PendingOrder {
  return { id: row.id, outTradeNo: row.out_trade_no, createdAt: row.created_at };
}
