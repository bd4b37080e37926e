import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../platform/database/snapshot-reader.js';

export type CountedRow = {
  readonly day: string;
  readonly package_type: string | null;
  readonly trade_type: string | null;
  readonly count: string;
};

export type SummedRow = CountedRow & { readonly fen: string };
export type CreatedRow = CountedRow & { readonly paid_count: string };

type Slice = { readonly from: Date; readonly to: Date };

const IS_PAID = "o.status IN ('paid', 'refunded')";
const GROUPS = 'o.package_type, o.trade_type';
/** Whole fen already at the server: no driver ever sees a fraction. */
const FEN = 'CAST(SUM(o.amount) * 100 AS DECIMAL(30, 0))';

/**
 * Figures of a slice of time, each by the index on the time that counts. The session's zone is Shanghai, so DATE() is
 * the day there. A paid order without a time of payment counts when it was made, and a refund alike: money that the
 * tables have is never missing here.
 */
@Injectable()
export class StatisticsRepository {
  async sumPaid(snapshot: Snapshot, { from, to }: Slice): Promise<SummedRow[]> {
    return snapshot.query<SummedRow>(
      `SELECT DATE(o.paid_at) AS day, ${GROUPS}, COUNT(*) AS count, ${FEN} AS fen
         FROM payment_orders o WHERE o.paid_at >= ? AND o.paid_at < ? AND ${IS_PAID}
        GROUP BY DATE(o.paid_at), ${GROUPS}
       UNION ALL
       SELECT DATE(o.created_at) AS day, ${GROUPS}, COUNT(*) AS count, ${FEN} AS fen
         FROM payment_orders o WHERE o.created_at >= ? AND o.created_at < ? AND o.paid_at IS NULL AND ${IS_PAID}
        GROUP BY DATE(o.created_at), ${GROUPS}`,
      [from, to, from, to],
    );
  }

  /** Refunds that are settled: what others wrote into the table counts once its unit is known. */
  async sumRefunded(snapshot: Snapshot, { from, to }: Slice): Promise<SummedRow[]> {
    const select = (time: string) =>
      `SELECT DATE(${time}) AS day, ${GROUPS}, COUNT(*) AS count, SUM(s.refund_fen) AS fen
         FROM refunds r
         JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no AND s.status = 'success' AND s.refund_fen IS NOT NULL
         LEFT JOIN payment_orders o ON o.out_trade_no = r.out_trade_no`;
    return snapshot.query<SummedRow>(
      `${select('r.refunded_at')} WHERE r.refunded_at >= ? AND r.refunded_at < ?
        GROUP BY DATE(r.refunded_at), ${GROUPS}
       UNION ALL
       ${select('r.created_at')} WHERE r.created_at >= ? AND r.created_at < ? AND r.refunded_at IS NULL
        GROUP BY DATE(r.created_at), ${GROUPS}`,
      [from, to, from, to],
    );
  }

  async countCreated(snapshot: Snapshot, { from, to }: Slice): Promise<CreatedRow[]> {
    return snapshot.query<CreatedRow>(
      `SELECT DATE(o.created_at) AS day, ${GROUPS}, COUNT(*) AS count,
              COUNT(IF(${IS_PAID}, 1, NULL)) AS paid_count
         FROM payment_orders o WHERE o.created_at >= ? AND o.created_at < ?
        GROUP BY DATE(o.created_at), ${GROUPS}`,
      [from, to],
    );
  }
}
