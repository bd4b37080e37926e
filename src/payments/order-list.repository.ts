import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Money } from '../shared/money.js';
import { checksRows, roadOf } from './order-roads.js';
import type { OrderRoad } from './order-roads.js';
import type { OrderFilter, OrderOverview, OrderPosition } from './orders.types.js';

/**
 * So many places of an index are looked at for one page when rows have to be checked: a few tens of milliseconds. A page
 * may then be short, or empty, and still have a next one.
 */
export const PLACES_PER_PAGE_MAX = 5_000;

/** Stands for no time in a position; no TIMESTAMP column holds it. */
const NO_TIME = '1970-01-01T00:00:00.000Z';

type Condition = { readonly sql: string; readonly values: readonly unknown[] };

export type OrderPlace = { readonly order: OrderOverview; readonly position: OrderPosition };

type PlaceRow = { place_at: Date | null; place_id: string };
type OverviewRow = PlaceRow & {
  id: string;
  out_trade_no: string;
  user_id: string;
  generation_id: string;
  transaction_id: string | null;
  amount: string;
  package_type: string;
  trade_type: string | null;
  status: string | null;
  paid_at: Date | null;
  created_at: Date | null;
  remark: string | null;
  refund_reason: string | null;
  granted: string | number;
  revoked: string | number;
  held_because: string | null;
  held_as: string | number | null;
  refunded_fen: string | null;
};

/** Orders as operators see them, and in which order. */
@Injectable()
export class OrderListRepository {
  async findByOutTradeNo(tx: Tx, outTradeNo: string): Promise<OrderOverview | null> {
    const [found] = await this.list(tx, { outTradeNo }, { after: null, limit: 1 });
    return found?.order ?? null;
  }

  /**
   * The newest first, from a place on, down to `lowest` included. One more than the page holds, when there are so many.
   * The sub-queries run once for each order of the page. The index of the exceptions is named because a server may else
   * read all that is held first, as a filter.
   */
  async list(
    tx: Tx,
    filter: OrderFilter,
    page: { after: OrderPosition | null; limit: number; lowest?: OrderPosition | null },
  ): Promise<OrderPlace[]> {
    const road = roadOf(filter);
    const conditions = [
      ...filterConditions(filter, road),
      ...(page.after ? [below(road, page.after)] : []),
      ...(page.lowest ? [downTo(road, page.lowest)] : []),
    ];
    const rows = await tx.query<OverviewRow[]>(
      `SELECT ${road.at} AS place_at, ${road.id} AS place_id,
              o.id, o.out_trade_no, o.user_id, o.generation_id, o.transaction_id, o.amount, o.package_type, o.trade_type,
              o.status, o.paid_at, o.created_at, o.remark, o.refund_reason, h.reason AS held_because, h.id AS held_as,
              EXISTS (SELECT 1 FROM entitlement_grants g WHERE g.out_trade_no = o.out_trade_no AND g.entry = 'grant') AS granted,
              EXISTS (SELECT 1 FROM entitlement_grants g WHERE g.out_trade_no = o.out_trade_no AND g.entry = 'revocation') AS revoked,
              (SELECT SUM(s.refund_fen) FROM refund_settlements s
                WHERE s.out_trade_no = o.out_trade_no AND s.status = 'success') AS refunded_fen
         FROM ${road.from} ${road.join}
         LEFT JOIN exceptions h FORCE INDEX (uq_exceptions_kind_subject)
           ON h.kind = 'payment_held' AND h.subject = o.out_trade_no AND h.status = 'open'
        WHERE ${[road.fixed, ...conditions.map(({ sql }) => sql)].join(' AND ')}
        ORDER BY ${road.at} DESC, ${road.id} DESC LIMIT ?`,
      [...conditions.flatMap(({ values }) => values), page.limit + 1],
    );
    return rows.map((row) => ({ order: toOverview(row), position: toPosition(road, row) }));
  }

  /** Where the places end that one page may look at; null when nothing has to be checked, or fewer are left. */
  async findLowestPlace(
    tx: Tx,
    filter: OrderFilter,
    after: OrderPosition | null,
  ): Promise<OrderPosition | null> {
    const road = roadOf(filter);
    if (road.isShort || !checksRows(road, filter)) return null;
    const answered = Object.fromEntries(
      road.answers.filter((key) => key !== 'held').map((key) => [key, filter[key]]),
    ) as OrderFilter;
    const conditions = [...filterConditions(answered, road), ...(after ? [below(road, after)] : [])];
    const [row] = await tx.query<PlaceRow[]>(
      `SELECT ${road.at} AS place_at, ${road.id} AS place_id FROM ${road.from}
        WHERE ${[road.fixed, ...conditions.map(({ sql }) => sql)].join(' AND ')}
        ORDER BY ${road.at} DESC, ${road.id} DESC LIMIT 1 OFFSET ?`,
      [...conditions.flatMap(({ values }) => values), PLACES_PER_PAGE_MAX - 1],
    );
    return row ? toPosition(road, row) : null;
  }
}

function filterConditions(filter: OrderFilter, road: OrderRoad): Condition[] {
  const all: readonly (readonly [string, unknown])[] = [
    ['o.status = ?', filter.status],
    ['o.package_type = ?', filter.packageType],
    ['o.trade_type = ?', filter.tradeType],
    ['o.user_id = ?', filter.userId],
    ['o.out_trade_no = ?', filter.outTradeNo],
    ['o.transaction_id = ?', filter.transactionId],
    ['o.created_at >= ?', filter.createdFrom],
    ['o.created_at < ?', filter.createdTo],
    ['o.paid_at >= ?', filter.paidFrom],
    ['o.paid_at < ?', filter.paidTo],
    ['o.amount >= ?', filter.amountMin?.toYuan()],
    ['o.amount <= ?', filter.amountMax?.toYuan()],
    // In this form, so that the server does not make an inner join of it and begin with all that is held.
    ['(COALESCE(h.id, 0) > 0) = ?', road.name === 'held' ? undefined : filter.held],
  ];
  return all.filter(([, value]) => value !== undefined).map(([sql, value]) => ({ sql, values: [value] }));
}

/** Rows without a time come last: a server sorts them below all others. */
function below({ at, id }: OrderRoad, position: OrderPosition): Condition {
  if (position.at === NO_TIME) return { sql: `(${at} IS NULL AND ${id} < ?)`, values: [position.id] };
  const time = new Date(position.at);
  return {
    sql: `(${at} < ? OR (${at} = ? AND ${id} < ?) OR ${at} IS NULL)`,
    values: [time, time, position.id],
  };
}

function downTo({ at, id }: OrderRoad, position: OrderPosition): Condition {
  if (position.at === NO_TIME) return { sql: `(${at} IS NOT NULL OR ${id} >= ?)`, values: [position.id] };
  const time = new Date(position.at);
  return { sql: `${at} >= ? AND (${at} > ? OR ${id} >= ?)`, values: [time, time, position.id] };
}

function toPosition({ name }: OrderRoad, row: PlaceRow): OrderPosition {
  return { by: name, at: row.place_at?.toISOString() ?? NO_TIME, id: String(row.place_id) };
}

function toOverview(row: OverviewRow): OrderOverview {
  return {
    id: row.id,
    outTradeNo: row.out_trade_no,
    userId: row.user_id,
    generationId: row.generation_id,
    transactionId: row.transaction_id || null,
    amount: Money.parseYuan(row.amount),
    packageType: row.package_type || 'free',
    tradeType: row.trade_type || null,
    status: row.status || 'pending',
    paidAt: row.paid_at,
    createdAt: row.created_at,
    remark: row.remark,
    refundReason: row.refund_reason,
    granted: Number(row.granted) === 1,
    revoked: Number(row.revoked) === 1,
    heldBecause: row.held_because,
    heldAs: row.held_as === null ? null : String(row.held_as),
    refundedFen: Number(row.refunded_fen ?? 0),
  };
}
