import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { RefundState } from './refund.state.js';
import type { RefundChannelName, RefundView } from './refunds.types.js';

type ViewRow = {
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

/** Refunds as operators see them. What is known for certain counts before what the shared table says. */
@Injectable()
export class RefundViewsRepository {
  async find(tx: Tx, outRefundNo: string): Promise<RefundView | null> {
    const [row] = await tx.query<ViewRow[]>(
      `SELECT r.out_refund_no, r.out_trade_no, r.refund_id, r.transaction_id, s.refund_fen, s.order_fen,
              COALESCE(s.status, NULLIF(r.status, ''), 'pending') AS status, s.stage, s.origin, s.channel,
              COALESCE(s.reason, r.reason) AS reason, s.requested_by, s.last_answer, s.due_at, r.refunded_at, r.created_at
         FROM refunds r LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no
        WHERE r.out_refund_no = ?`,
      [outRefundNo],
    );
    return row ? toView(row) : null;
  }
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
