import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import { valueByKey } from '../platform/database/value-by-key.js';
import { ORDER_COLUMNS, toRecord } from './order-record.js';
import type { OrderRecord, OrderRow } from './order-record.js';
import {
  nextPaymentOrderState,
  PAYMENT_ORDER_STATES,
  paymentOrderStatesChangedBy,
} from './payment-order.state.js';

export type NewOrder = {
  readonly id: string;
  readonly outTradeNo: OutTradeNo;
  readonly userId: string;
  readonly generationId: string;
  readonly amount: Money;
  readonly packageType: 'free' | 'basic' | 'premium';
  readonly tradeType: string;
  readonly payerOpenid: string | null;
  readonly createdAt: Date;
};

/** What is known of the payment of the order with this id. */
export type KnownPayment = {
  readonly id: string;
  readonly transactionId: string | null;
  readonly paidAt: Date | null;
};

/** A row to look at by the sweep, and its place in the sweep's order. */
export type PaidOrderKey = { readonly id: string; readonly outTradeNo: string; readonly updatedAt: Date };

export type OrderStatus = {
  readonly outTradeNo: string;
  readonly status: string;
  readonly packageType: string;
  readonly amount: string | null;
  readonly paidAt: string | null;
  readonly granted: boolean;
};

type OrderStatusRow = Pick<OrderRow, 'out_trade_no' | 'status' | 'package_type' | 'amount' | 'paid_at'> & {
  granted: string | number;
};

type PaidOrderRow = { id: string; out_trade_no: string; updated_at: Date };

/**
 * Granted or held: the two ways in which a paid order is settled. A paid one that the ledger knows as refunded is not: a late
 * duplicate set it back. Outer joins and not NOT EXISTS, which a server may answer by reading all exceptions there ever were.
 */
const SETTLEMENTS = `
  LEFT JOIN entitlement_grants g ON g.out_trade_no = o.out_trade_no AND g.entry = 'grant'
  LEFT JOIN entitlement_grants r
    ON r.out_trade_no = o.out_trade_no AND r.entry = 'revocation' AND r.origin <> 'manual'
  LEFT JOIN exceptions e ON e.kind = 'payment_held' AND e.subject = o.out_trade_no AND e.status <> 'resolved'`;
const UNSETTLED = '((g.id IS NULL AND e.id IS NULL) OR r.id IS NOT NULL)';

const PAYABLE_STATES = PAYMENT_ORDER_STATES.filter(
  (state) => nextPaymentOrderState(state, 'payment_proven') === 'paid',
);

@Injectable()
export class PaymentOrdersRepository {
  async lockByOutTradeNo(tx: Tx, outTradeNo: OutTradeNo): Promise<OrderRecord | null> {
    const [row] = await tx.query<OrderRow[]>(
      `SELECT ${ORDER_COLUMNS} FROM payment_orders WHERE out_trade_no = ? FOR UPDATE`,
      [outTradeNo],
    );
    return row ? toRecord(row, outTradeNo) : null;
  }

  /** False when another transaction holds the order's row, or there is none: who only looks for work passes on. */
  async lockIfFree(tx: Tx, outTradeNo: OutTradeNo): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      'SELECT id FROM payment_orders WHERE out_trade_no = ? FOR UPDATE SKIP LOCKED',
      [outTradeNo],
    );
    return rows.length > 0;
  }

  /** Another order that carries this transaction: WeChat Pay never pays two orders with one. */
  async findOtherByTransactionId(tx: Tx, transactionId: string, than: OutTradeNo): Promise<string | null> {
    const [row] = await tx.query<{ out_trade_no: string }[]>(
      'SELECT out_trade_no FROM payment_orders WHERE transaction_id = ? AND out_trade_no <> ? LIMIT 1',
      [transactionId, than],
    );
    return row?.out_trade_no ?? null;
  }

  /** True when money of the order went back or is on its way. Amounts of rows that callers wrote are in no certain unit. */
  async hasRefund(tx: Tx, outTradeNo: OutTradeNo): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      `SELECT r.id FROM refunds r LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no
        WHERE r.out_trade_no = ? AND COALESCE(NULLIF(r.status, ''), 'pending') <> 'closed'
          AND COALESCE(s.stage, 'sent') <> 'disproven' LIMIT 1`,
      [outTradeNo],
    );
    return rows.length > 0;
  }

  async hasClosedRefund(tx: Tx, outTradeNo: OutTradeNo): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      "SELECT id FROM refunds WHERE out_trade_no = ? AND status = 'closed' LIMIT 1",
      [outTradeNo],
    );
    return rows.length > 0;
  }

  /** @throws a duplicate-entry error when a number or an id is taken: then none is written */
  async insertPending(tx: Tx, ...orders: readonly NewOrder[]): Promise<void> {
    const rows = orders.map((order) => [
      order.id,
      order.userId,
      order.generationId,
      order.outTradeNo,
      order.amount.toYuan(),
      order.packageType,
      order.tradeType,
      'pending',
      order.payerOpenid,
      order.createdAt,
    ]);
    await tx.query(
      `INSERT INTO payment_orders
         (id, user_id, generation_id, out_trade_no, amount, package_type, trade_type, status, _openid, created_at)
       VALUES ?`,
      [rows],
    );
  }

  /**
   * pending or failed → paid, with what is known of each payment; values already there stay. One that is paid is completed.
   * @returns how many of the orders it found in a state that is or can become paid
   */
  async markPaid(tx: Tx, ...payments: readonly KnownPayment[]): Promise<number> {
    const transaction = valueByKey(
      'id',
      payments.map(({ id, transactionId }) => [id, transactionId]),
    );
    const paidAt = valueByKey(
      'id',
      payments.map((payment) => [payment.id, payment.paidAt]),
    );
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE payment_orders
          SET status = 'paid', transaction_id = COALESCE(NULLIF(transaction_id, ''), ${transaction.sql}),
              paid_at = COALESCE(paid_at, ${paidAt.sql})
        WHERE id IN (?) AND COALESCE(status, 'pending') IN (?)`,
      [...transaction.values, ...paidAt.values, payments.map(({ id }) => id), PAYABLE_STATES],
    );
    return result.affectedRows;
  }

  /** pending → failed: WeChat Pay will take no money for it any more. */
  async markClosed(tx: Tx, id: string): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      "UPDATE payment_orders SET status = 'failed' WHERE id = ? AND COALESCE(status, 'pending') IN (?)",
      [id, paymentOrderStatesChangedBy('closed')],
    );
    return result.affectedRows === 1;
  }

  /** paid → refunded: all of its money went back. */
  async markRefunded(tx: Tx, id: string, reason: string | null): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      "UPDATE payment_orders SET status = 'refunded', refund_reason = COALESCE(?, refund_reason) WHERE id = ? AND status IN (?)",
      [reason, id, paymentOrderStatesChangedBy('fully_refunded')],
    );
    return result.affectedRows === 1;
  }

  async completePaidAt(tx: Tx, id: string, paidAt: Date): Promise<void> {
    await tx.query('UPDATE payment_orders SET paid_at = ? WHERE id = ? AND paid_at IS NULL', [paidAt, id]);
  }

  async completeTransactionId(tx: Tx, id: string, transactionId: string): Promise<void> {
    await tx.query(
      "UPDATE payment_orders SET transaction_id = ? WHERE id = ? AND (transaction_id IS NULL OR transaction_id = '')",
      [transactionId, id],
    );
  }

  async completePayerOpenid(tx: Tx, id: string, openid: string): Promise<void> {
    await tx.query(
      "UPDATE payment_orders SET _openid = ? WHERE id = ? AND (_openid IS NULL OR _openid = '')",
      [openid, id],
    );
  }

  /** For rescued rows, whose amount is 0.00 when their writer did not know it. */
  async completeAmount(tx: Tx, id: string, amount: Money): Promise<void> {
    await tx.query('UPDATE payment_orders SET amount = ? WHERE id = ? AND amount = 0', [amount.toYuan(), id]);
  }

  /** For rescued rows, whose package is a guess. */
  async repairPackage(tx: Tx, id: string, change: { from: string; to: 'basic' | 'premium' }): Promise<void> {
    await tx.query('UPDATE payment_orders SET package_type = ? WHERE id = ? AND package_type = ?', [
      change.to,
      id,
      change.from,
    ]);
  }

  /**
   * Paid orders without a settlement that changed within the last `windowSeconds`, oldest change first, from a place on.
   * Reads one range of the index on (status, updated_at): the cost follows the window and not the table.
   */
  async listUnsettledRecent(
    tx: Tx,
    page: { windowSeconds: number; after: PaidOrderKey | null; limit: number },
  ): Promise<PaidOrderKey[]> {
    const from = page.after ? 'AND (o.updated_at > ? OR (o.updated_at = ? AND o.id > ?))' : '';
    const place = page.after ? [page.after.updatedAt, page.after.updatedAt, page.after.id] : [];
    const rows = await tx.query<PaidOrderRow[]>(
      `SELECT o.id, o.out_trade_no, o.updated_at
         FROM payment_orders o FORCE INDEX (idx_payment_orders_status_updated) ${SETTLEMENTS}
        WHERE o.status = 'paid' AND o.updated_at >= NOW() - INTERVAL ? SECOND ${from} AND ${UNSETTLED}
        ORDER BY o.updated_at, o.id LIMIT ?`,
      [page.windowSeconds, ...place, page.limit],
    );
    return rows.map(toKey);
  }

  /**
   * The next `limit` paid orders by id, settled or not: one bounded step of a pass over the whole table. The step is a table
   * of its own, so that its length and not that of the ledger is what the joins follow.
   */
  async listPaidById(
    tx: Tx,
    page: { afterId: string; limit: number },
  ): Promise<{ id: string; outTradeNo: string; isSettled: boolean }[]> {
    const rows = await tx.query<(PaidOrderRow & { is_unsettled: string | number })[]>(
      `SELECT o.id, o.out_trade_no, ${UNSETTLED} AS is_unsettled
         FROM (SELECT id, out_trade_no FROM payment_orders FORCE INDEX (idx_status)
                WHERE status = 'paid' AND id > ? ORDER BY id LIMIT ?) o ${SETTLEMENTS}
        ORDER BY o.id`,
      [page.afterId, page.limit],
    );
    return rows.map((row) => ({
      id: row.id,
      outTradeNo: row.out_trade_no,
      isSettled: Number(row.is_unsettled) === 0,
    }));
  }

  /** The numbers and ids that orders have, of these and of what the columns take for one of these. */
  async listTaken(
    tx: Tx,
    { outTradeNos, ids }: { outTradeNos: readonly string[]; ids: readonly string[] },
  ): Promise<string[]> {
    type Row = { id: string; out_trade_no: string };
    const select = 'SELECT id, out_trade_no FROM payment_orders WHERE';
    const byNumber = await tx.query<Row[]>(`${select} out_trade_no IN (?)`, [outTradeNos]);
    const byId = await tx.query<Row[]>(`${select} id IN (?)`, [ids]);
    return [...byNumber, ...byId].flatMap((row) => [row.id, row.out_trade_no]);
  }

  async findCreatedAt(tx: Tx, outTradeNo: OutTradeNo): Promise<Date | null> {
    const [row] = await tx.query<{ created_at: Date | null }[]>(
      'SELECT created_at FROM payment_orders WHERE out_trade_no = ?',
      [outTradeNo],
    );
    return row?.created_at ?? null;
  }

  /** What may be told about an order to those who ask for its state. */
  async findStatus(tx: Tx, outTradeNo: OutTradeNo): Promise<OrderStatus | null> {
    const [row] = await tx.query<OrderStatusRow[]>(
      `SELECT o.out_trade_no, o.status, o.package_type, o.amount, o.paid_at,
              EXISTS (SELECT 1 FROM entitlement_grants g WHERE g.out_trade_no = o.out_trade_no AND g.entry = 'grant') AS granted
         FROM payment_orders o WHERE o.out_trade_no = ?`,
      [outTradeNo],
    );
    if (!row) return null;
    return {
      outTradeNo: row.out_trade_no,
      status: row.status ?? 'pending',
      packageType: row.package_type,
      amount: Money.parseYuan(row.amount)?.toYuan() ?? null,
      paidAt: row.paid_at?.toISOString() ?? null,
      granted: Number(row.granted) === 1,
    };
  }
}

function toKey(row: PaidOrderRow): PaidOrderKey {
  return { id: row.id, outTradeNo: row.out_trade_no, updatedAt: row.updated_at };
}
