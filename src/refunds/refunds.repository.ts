import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import type { RefundState } from './refund.state.js';

/** A refund as the shared table has it, whoever wrote it. */
export type RefundRow = {
  readonly id: string;
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly refundYuan: string;
  readonly totalYuan: string;
  readonly status: RefundState;
  readonly refundedAt: Date | null;
};

/** A refund of an order, with what is known of its amount. */
export type OrderRefund = {
  readonly outRefundNo: string;
  readonly status: RefundState;
  /** Null where only others wrote the row: its unit is not certain. */
  readonly refundAmount: Money | null;
  readonly refundYuan: string;
  readonly totalYuan: string;
};

type Row = {
  id: string;
  out_refund_no: string;
  out_trade_no: string;
  refund_amount: string;
  total_amount: string;
  status: string | null;
  refunded_at: Date | null;
};

/** A server that is not strict keeps an unknown status as ''. */
const STATUS = "COALESCE(NULLIF(r.status, ''), 'pending')";

@Injectable()
export class RefundsRepository {
  /** @throws a duplicate-entry error when the number or the id is taken */
  async insert(
    tx: Tx,
    refund: {
      id: string;
      outRefundNo: string;
      outTradeNo: OutTradeNo;
      transactionId: string | null;
      refundAmount: Money;
      orderAmount: Money;
      reason: string | null;
    },
  ): Promise<void> {
    await tx.query(
      `INSERT INTO refunds (id, out_refund_no, out_trade_no, transaction_id, refund_amount, total_amount, status, reason)
       VALUES (?, ?, ?, ?, ?, ?, 'pending', ?)`,
      [
        refund.id,
        refund.outRefundNo,
        refund.outTradeNo,
        refund.transactionId,
        refund.refundAmount.toYuan(),
        refund.orderAmount.toYuan(),
        refund.reason,
      ],
    );
  }

  async lock(tx: Tx, outRefundNo: string): Promise<RefundRow | null> {
    const [row] = await tx.query<Row[]>(
      `SELECT r.id, r.out_refund_no, r.out_trade_no, r.refund_amount, r.total_amount, ${STATUS} AS status, r.refunded_at
         FROM refunds r WHERE r.out_refund_no = ? FOR UPDATE`,
      [outRefundNo],
    );
    return row ? toRow(row) : null;
  }

  async findOutTradeNo(tx: Tx, outRefundNo: string): Promise<string | null> {
    const [row] = await tx.query<{ out_trade_no: string }[]>(
      'SELECT out_trade_no FROM refunds WHERE out_refund_no = ?',
      [outRefundNo],
    );
    return row?.out_trade_no ?? null;
  }

  async findRefundId(tx: Tx, outRefundNo: string): Promise<string | null> {
    const [row] = await tx.query<{ refund_id: string | null }[]>(
      'SELECT refund_id FROM refunds WHERE out_refund_no = ?',
      [outRefundNo],
    );
    return row?.refund_id || null;
  }

  /**
   * All refunds of the order; the caller holds the order's lock, under which ours are made. Which order a refund is of, its
   * settlement knows better than its row. What WeChat Pay does not know is none; what it refused counts until it was asked
   * for the last time.
   */
  async listOfOrder(tx: Tx, outTradeNo: OutTradeNo): Promise<OrderRefund[]> {
    type Listed = Row & { known_status: RefundState | null; refund_fen: string | null };
    const rows = await tx.query<Listed[]>(
      `SELECT s.out_refund_no, COALESCE(r.refund_amount, 0) AS refund_amount, COALESCE(r.total_amount, 0) AS total_amount,
              ${STATUS} AS status, IF(s.status = 'closed' AND s.due_at IS NOT NULL, 'pending', s.status) AS known_status,
              s.refund_fen
         FROM refund_settlements s LEFT JOIN refunds r ON r.out_refund_no = s.out_refund_no
        WHERE s.out_trade_no = ? AND s.stage <> 'disproven'
       UNION ALL
       SELECT r.out_refund_no, r.refund_amount, r.total_amount, ${STATUS}, s.status, s.refund_fen
         FROM refunds r LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no
        WHERE r.out_trade_no = ? AND s.out_refund_no IS NULL`,
      [outTradeNo, outTradeNo],
    );
    return rows.map((row) => ({
      outRefundNo: row.out_refund_no,
      // Where both say something the settlement counts; one that nobody confirmed yet leaves the row its word.
      status: (row.refund_fen === null ? row.status : row.known_status) as RefundState,
      refundAmount: row.refund_fen === null ? null : Money.ofFen(Number(row.refund_fen)),
      refundYuan: row.refund_amount,
      totalYuan: row.total_amount,
    }));
  }

  /** Makes the row say what is known. Values of others are kept where nothing better is known. */
  async show(
    tx: Tx,
    id: string,
    known: {
      status: RefundState;
      outTradeNo: string;
      refundId: string | null;
      transactionId: string | null;
      refundAmount: Money;
      orderAmount: Money;
      refundedAt: Date | null;
    },
  ): Promise<void> {
    await tx.query(
      `UPDATE refunds
          SET status = ?, out_trade_no = ?, refund_id = COALESCE(?, refund_id), transaction_id = COALESCE(transaction_id, ?),
              refund_amount = ?, total_amount = ?, refunded_at = COALESCE(?, refunded_at)
        WHERE id = ?`,
      [
        known.status,
        known.outTradeNo,
        known.refundId,
        known.transactionId,
        known.refundAmount.toYuan(),
        known.orderAmount.toYuan(),
        known.refundedAt,
        id,
      ],
    );
  }

  async showClosed(tx: Tx, outRefundNo: string): Promise<void> {
    await tx.query(
      "UPDATE refunds SET status = 'closed' WHERE out_refund_no = ? AND COALESCE(NULLIF(status, ''), 'pending') = 'pending'",
      [outRefundNo],
    );
  }

  async completeRefundId(tx: Tx, outRefundNo: string, refundId: string): Promise<void> {
    await tx.query(
      "UPDATE refunds SET refund_id = ? WHERE out_refund_no = ? AND (refund_id IS NULL OR refund_id = '')",
      [refundId, outRefundNo],
    );
  }
}

function toRow(row: Row): RefundRow {
  return {
    id: row.id,
    outRefundNo: row.out_refund_no,
    outTradeNo: row.out_trade_no,
    refundYuan: row.refund_amount,
    totalYuan: row.total_amount,
    status: row.status as RefundState,
    refundedAt: row.refunded_at,
  };
}
