import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

/** A row to look at by the sweep, and its place in the sweep's order. */
export type ChangedRefund = { readonly id: string; readonly outRefundNo: string; readonly updatedAt: Date };

type ChangedRow = { id: string; out_refund_no: string; updated_at: Date };

/**
 * What others wrote and nobody looked at yet: a refund without a settlement, one whose row says more than is known and that
 * was not asked about since, or one whose row contradicts what is settled.
 */
const DIFFERS = `(
  s.out_refund_no IS NULL
  OR (s.status IN ('pending', 'abnormal') AND COALESCE(NULLIF(r.status, ''), 'pending') NOT IN ('pending', s.status)
      AND (s.asked_at IS NULL OR r.updated_at >= s.asked_at - INTERVAL 1 SECOND))
  OR (s.status IN ('success', 'closed') AND s.refund_fen IS NOT NULL
      AND (COALESCE(NULLIF(r.status, ''), 'pending') <> s.status OR r.refund_amount * 100 <> s.refund_fen
           OR r.total_amount * 100 <> s.order_fen
           OR CAST(r.out_trade_no AS BINARY) <> CAST(s.out_trade_no AS BINARY))))`;

/** Finds in `refunds` what the settlements do not know. */
@Injectable()
export class RefundChangesRepository {
  /** Rows that changed within the window, oldest change first, from a place on. One range of an index: the cost follows the window. */
  async listRecent(
    tx: Tx,
    page: { windowSeconds: number; after: ChangedRefund | null; limit: number },
  ): Promise<ChangedRefund[]> {
    const from = page.after ? 'AND (r.updated_at > ? OR (r.updated_at = ? AND r.id > ?))' : '';
    const place = page.after ? [page.after.updatedAt, page.after.updatedAt, page.after.id] : [];
    const rows = await tx.query<ChangedRow[]>(
      `SELECT r.id, r.out_refund_no, r.updated_at
         FROM refunds r FORCE INDEX (idx_refunds_updated_at)
         LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no
        WHERE r.updated_at >= NOW() - INTERVAL ? SECOND ${from} AND ${DIFFERS}
        ORDER BY r.updated_at, r.id LIMIT ?`,
      [page.windowSeconds, ...place, page.limit],
    );
    return rows.map((row) => ({ id: row.id, outRefundNo: row.out_refund_no, updatedAt: row.updated_at }));
  }

  /** The next `limit` refunds by id: one bounded step of a pass over all of them. */
  async listById(
    tx: Tx,
    page: { afterId: string; limit: number },
  ): Promise<{ id: string; outRefundNo: string }[]> {
    const rows = await tx.query<ChangedRow[]>(
      'SELECT r.id, r.out_refund_no FROM refunds r WHERE r.id > ? ORDER BY r.id LIMIT ?',
      [page.afterId, page.limit],
    );
    return rows.map((row) => ({ id: row.id, outRefundNo: row.out_refund_no }));
  }

  async filterChanged(tx: Tx, outRefundNos: readonly string[]): Promise<string[]> {
    if (outRefundNos.length === 0) return [];
    const rows = await tx.query<ChangedRow[]>(
      `SELECT r.out_refund_no FROM refunds r LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no
        WHERE r.out_refund_no IN (?) AND ${DIFFERS}`,
      [outRefundNos],
    );
    return rows.map((row) => row.out_refund_no);
  }

  /**
   * Orders of these refunds that differ from the sum of what went back: all of it, and the order is not refunded, because that
   * was not possible then; or a part, and others called the order refunded, which nobody was told yet.
   */
  async listOrdersToEnd(tx: Tx, outRefundNos: readonly string[]): Promise<string[]> {
    if (outRefundNos.length === 0) return [];
    const rows = await tx.query<{ out_trade_no: string }[]>(
      `SELECT DISTINCT s.out_trade_no
         FROM refund_settlements s JOIN payment_orders o ON o.out_trade_no = s.out_trade_no
         LEFT JOIN exceptions e ON e.kind = 'refund_conflict' AND e.subject = o.out_trade_no
        WHERE s.out_refund_no IN (?) AND s.status = 'success'
          AND IF((SELECT SUM(all_of.refund_fen) FROM refund_settlements all_of
                   WHERE all_of.out_trade_no = s.out_trade_no AND all_of.status = 'success') >= s.order_fen,
                 COALESCE(o.status, 'pending') <> 'refunded', o.status = 'refunded' AND e.id IS NULL)`,
      [outRefundNos],
    );
    return rows.map((row) => row.out_trade_no);
  }
}
