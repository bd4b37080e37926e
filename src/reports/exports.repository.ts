import { Injectable } from '@nestjs/common';
import type { Snapshot } from '../platform/database/snapshot-reader.js';
import type { ExportFilter, ExportKind, ExportRange, ExportTime } from './exports.types.js';

/** Where a step ended: text, as the snapshot gives times. */
export type ExportPosition = { readonly at: string; readonly id: string };

type Positioned = { readonly position_at: string; readonly position_id: string };

export type OrderExportRow = Positioned & {
  readonly id: string;
  readonly out_trade_no: string;
  readonly transaction_id: string | null;
  readonly user_id: string;
  readonly generation_id: string;
  readonly package_type: string;
  readonly trade_type: string | null;
  readonly status: string;
  readonly amount: string;
  /** What went back for certain. */
  readonly refunded_fen: string | null;
  readonly created_at: string | null;
  readonly paid_at: string | null;
  readonly refund_reason: string | null;
  readonly remark: string | null;
};

export type RefundExportRow = Positioned & {
  readonly out_refund_no: string;
  readonly refund_id: string | null;
  readonly out_trade_no: string;
  readonly transaction_id: string | null;
  readonly user_id: string | null;
  readonly status: string;
  /** Null where nobody confirmed it. */
  readonly refund_fen: string | null;
  readonly order_amount: string | null;
  readonly reason: string | null;
  readonly created_at: string | null;
  readonly refunded_at: string | null;
};

export type ProductOrderExportRow = Positioned & {
  readonly id: string;
  readonly user_id: string;
  readonly generation_id: string | null;
  readonly product_type: string;
  readonly status: string;
  readonly product_price: string;
  readonly shipping_name: string | null;
  readonly shipping_phone: string | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
};

export type ExportRow = {
  orders: OrderExportRow;
  refunds: RefundExportRow;
  'product-orders': ProductOrderExportRow;
};

/** A server that is not strict keeps an unknown status as ''. */
const ORDER_STATUS = "COALESCE(NULLIF(o.status, ''), 'pending')";
/** Where both say something the settlement counts; one that nobody confirmed yet leaves the row its word. */
const REFUND_STATUS = "COALESCE(IF(s.refund_fen IS NULL, NULLIF(r.status, ''), s.status), 'pending')";
const PRODUCT_STATUS = "COALESCE(NULLIF(p.status, ''), 'pending')";

type Bounds = {
  readonly at: readonly ['>=' | '=' | '>', Date | string];
  readonly before?: Date;
  readonly afterId?: string;
};

type Source = {
  readonly select: string;
  readonly id: string;
  readonly at: Partial<Record<ExportTime, string>> & { readonly created: string };
  readonly filters: Readonly<Partial<Record<keyof ExportFilter, string>>>;
};

const SOURCES: Record<ExportKind, Source> = {
  orders: {
    select: `o.id, o.out_trade_no, o.transaction_id, o.user_id, o.generation_id, o.package_type, o.trade_type,
        ${ORDER_STATUS} AS status, o.amount, o.created_at, o.paid_at, o.refund_reason, o.remark,
        (SELECT SUM(s.refund_fen) FROM refund_settlements s
          WHERE s.out_trade_no = o.out_trade_no AND s.status = 'success') AS refunded_fen
       FROM payment_orders o`,
    id: 'o.id',
    at: { created: 'o.created_at', settled: 'o.paid_at' },
    filters: {
      status: `${ORDER_STATUS} = ?`,
      userId: 'o.user_id = ?',
      packageType: 'o.package_type = ?',
      tradeType: 'o.trade_type = ?',
    },
  },
  refunds: {
    select: `r.out_refund_no, r.refund_id, r.out_trade_no, r.transaction_id, o.user_id, ${REFUND_STATUS} AS status,
        s.refund_fen, o.amount AS order_amount, COALESCE(s.reason, r.reason) AS reason, r.created_at, r.refunded_at
       FROM refunds r
       LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no
       LEFT JOIN payment_orders o ON o.out_trade_no = r.out_trade_no`,
    id: 'r.id',
    at: { created: 'r.created_at', settled: 'r.refunded_at' },
    filters: { status: `${REFUND_STATUS} = ?`, userId: 'o.user_id = ?' },
  },
  'product-orders': {
    select: `p.id, p.user_id, p.generation_id, p.product_type, ${PRODUCT_STATUS} AS status, p.product_price,
        p.shipping_name, p.shipping_phone, p.created_at, p.updated_at
       FROM product_orders p`,
    id: 'p.id',
    at: { created: 'p.created_at' },
    filters: { status: `${PRODUCT_STATUS} = ?`, userId: 'p.user_id = ?' },
  },
};

@Injectable()
export class ExportsRepository {
  /**
   * The next rows by time and id, at most `limit`. First the rest of the second at which the step before ended, then
   * what is later: each is one range of an index, however many rows share a second.
   */
  async readStep<Kind extends ExportKind>(
    snapshot: Snapshot,
    kind: Kind,
    step: ExportRange & {
      readonly by: ExportTime;
      readonly filter: ExportFilter;
      readonly after: ExportPosition | null;
      readonly limit: number;
    },
  ): Promise<ExportRow[Kind][]> {
    const { after, limit, from, to } = step;
    const read = (bounds: Bounds, rowsMax: number) => this.read(snapshot, kind, { ...step, bounds, rowsMax });
    if (after === null) return read({ at: ['>=', from], before: to }, limit);
    const same = await read({ at: ['=', after.at], afterId: after.id }, limit);
    if (same.length === limit) return same;
    const later = await read({ at: ['>', after.at], before: to }, limit - same.length);
    return [...same, ...later];
  }

  private async read<Kind extends ExportKind>(
    snapshot: Snapshot,
    kind: Kind,
    asked: {
      readonly by: ExportTime;
      readonly filter: ExportFilter;
      readonly bounds: Bounds;
      readonly rowsMax: number;
    },
  ): Promise<ExportRow[Kind][]> {
    const { select, id, at, filters } = SOURCES[kind];
    const time = at[asked.by] ?? at.created;
    const { bounds } = asked;
    const conditions: [string, unknown][] = [[`${time} ${bounds.at[0]} ?`, bounds.at[1]]];
    if (bounds.before !== undefined) conditions.push([`${time} < ?`, bounds.before]);
    if (bounds.afterId !== undefined) conditions.push([`${id} > ?`, bounds.afterId]);
    for (const [name, condition] of Object.entries(filters)) {
      const value = asked.filter[name as keyof ExportFilter];
      if (value !== undefined) conditions.push([condition, value]);
    }
    return snapshot.query<ExportRow[Kind]>(
      `SELECT ${time} AS position_at, ${id} AS position_id, ${select}
        WHERE ${conditions.map(([condition]) => condition).join(' AND ')} ORDER BY ${time}, ${id} LIMIT ?`,
      [...conditions.map(([, value]) => value), asked.rowsMax],
    );
  }
}
