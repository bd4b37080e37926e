import { Injectable } from '@nestjs/common';
import { countUpToLimit } from '../platform/database/bounded-count.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { PageRequest } from '../shared/page.js';
import type { RefundState } from './refund.state.js';
import type {
  RefundBacklog,
  RefundChannelName,
  RefundFilter,
  RefundPosition,
  RefundView,
} from './refunds.types.js';

type ViewRow = {
  id: string;
  out_refund_no: string;
  out_trade_no: string;
  refund_id: string | null;
  transaction_id: string | null;
  refund_fen: string | null;
  order_fen: string | null;
  status: RefundState;
  stage: string | null;
  origin: 'operator' | 'foreign' | null;
  channel: RefundChannelName | null;
  reason: string | null;
  requested_by: string | null;
  last_answer: string | null;
  due_at: Date | null;
  refunded_at: Date | null;
  created_at: Date | null;
};

/** The place of a row whose writer left the time out; no TIMESTAMP column holds it. */
export const NO_TIME = new Date(0).toISOString();

type Condition = [sql: string, values: unknown[]];

/** A refund in a list, with its place in it. */
export type ListedRefund = RefundView & { readonly id: string };

const STATUS = "COALESCE(s.status, NULLIF(r.status, ''), 'pending')";
const SELECT = `
  SELECT r.id, r.out_refund_no, r.out_trade_no, r.refund_id, r.transaction_id, s.refund_fen, s.order_fen,
         ${STATUS} AS status, s.stage, s.origin, s.channel, COALESCE(s.reason, r.reason) AS reason, s.requested_by,
         s.last_answer, s.due_at, r.refunded_at, r.created_at
    FROM refunds r LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no`;

/** Refunds as operators see them. What is known for certain counts before what the shared table says. */
@Injectable()
export class RefundViewsRepository {
  async find(tx: Tx, outRefundNo: string): Promise<RefundView | null> {
    const [row] = await tx.query<ViewRow[]>(`${SELECT} WHERE r.out_refund_no = ?`, [outRefundNo]);
    return row ? toView(row) : null;
  }

  /** The newest first. */
  async list(tx: Tx, filter: RefundFilter, page: PageRequest<RefundPosition>): Promise<ListedRefund[]> {
    const conditions: Condition[] = [];
    if (filter.outTradeNo) conditions.push(['r.out_trade_no = ?', [filter.outTradeNo]]);
    if (filter.status) conditions.push([`${STATUS} = ?`, [filter.status]]);
    if (filter.origin) conditions.push(["COALESCE(s.origin, 'foreign') = ?", [filter.origin]]);
    if (filter.from) conditions.push(['r.created_at >= ?', [filter.from]]);
    if (filter.to) conditions.push(['r.created_at < ?', [filter.to]]);
    if (page.after) {
      conditions.push(below(page.after));
    }
    const where = conditions.map(([condition]) => condition).join(' AND ') || 'TRUE';
    const rows = await tx.query<ViewRow[]>(
      `${SELECT} WHERE ${where} ORDER BY r.created_at DESC, r.id DESC LIMIT ?`,
      [...conditions.flatMap(([, values]) => values), page.limit + 1],
    );
    return rows.map((row) => ({ ...toView(row), id: row.id }));
  }

  /** The refunds of an order, the newest first. */
  async listOfOrder(tx: Tx, outTradeNo: string, limit: number): Promise<RefundView[]> {
    return (await this.list(tx, { outTradeNo }, { after: null, limit })).slice(0, limit);
  }

  /** Only what is open has a time: the cost follows that and not the table. */
  async backlog(tx: Tx): Promise<RefundBacklog> {
    const open = (status: RefundState) =>
      countUpToLimit(tx, 'refund_settlements WHERE due_at IS NOT NULL AND status = ?', [status]);
    const [oldest] = await tx.query<{ age: string | number }[]>(
      `SELECT GREATEST(0, TIMESTAMPDIFF(SECOND, due_at, NOW(3))) AS age FROM refund_settlements
        WHERE due_at IS NOT NULL ORDER BY due_at LIMIT 1`,
    );
    return {
      pending: await open('pending'),
      abnormal: await open('abnormal'),
      due: await countUpToLimit(tx, 'refund_settlements WHERE due_at <= NOW(3)'),
      oldestDueSeconds: Number(oldest?.age ?? 0),
    };
  }
}

/** Rows without a time come last: a server sorts them below all others. */
function below({ createdAt, id }: RefundPosition): Condition {
  if (createdAt === NO_TIME) return ['r.created_at IS NULL AND r.id < ?', [id]];
  const at = new Date(createdAt);
  return ['(r.created_at < ? OR (r.created_at = ? AND r.id < ?) OR r.created_at IS NULL)', [at, at, id]];
}

function toView(row: ViewRow): RefundView {
  return {
    outRefundNo: row.out_refund_no,
    outTradeNo: row.out_trade_no,
    refundId: row.refund_id || null,
    transactionId: row.transaction_id || null,
    amountFen: row.refund_fen === null ? null : Number(row.refund_fen),
    orderAmountFen: row.order_fen === null ? null : Number(row.order_fen),
    status: row.status,
    stage: row.stage,
    origin: row.origin ?? 'foreign',
    channel: row.channel,
    reason: row.reason,
    requestedBy: row.requested_by,
    lastAnswer: row.last_answer,
    dueAt: row.due_at?.toISOString() ?? null,
    refundedAt: row.refunded_at?.toISOString() ?? null,
    createdAt: row.created_at?.toISOString() ?? null,
  };
}
