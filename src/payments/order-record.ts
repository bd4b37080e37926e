import { isOutTradeNo } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import type { PaymentOrderState } from './payment-order.state.js';

/** An order as the table has it. What is null there is null here; an amount that is none is null, too. */
export type OrderRecord = {
  readonly id: string;
  readonly outTradeNo: OutTradeNo;
  readonly userId: string;
  readonly generationId: string;
  readonly transactionId: string | null;
  readonly amount: Money | null;
  readonly packageType: string;
  readonly status: PaymentOrderState;
  readonly paidAt: Date | null;
  readonly payerOpenid: string | null;
  readonly createdAt: Date | null;
};

export type OrderRow = {
  id: string;
  out_trade_no: string;
  user_id: string;
  generation_id: string;
  transaction_id: string | null;
  amount: string;
  package_type: string;
  status: PaymentOrderState | null;
  paid_at: Date | null;
  _openid: string | null;
  created_at: Date | null;
};

export const ORDER_COLUMNS =
  'id, out_trade_no, user_id, generation_id, transaction_id, amount, package_type, status, paid_at, _openid, created_at';

export function toRecord(row: OrderRow, asked: OutTradeNo): OrderRecord {
  // The column compares without case; the number as stored is the one every other table must use.
  const outTradeNo = isOutTradeNo(row.out_trade_no) ? row.out_trade_no : asked;
  return {
    id: row.id,
    outTradeNo,
    userId: row.user_id,
    generationId: row.generation_id,
    transactionId: row.transaction_id || null,
    amount: Money.parseYuan(row.amount),
    packageType: row.package_type,
    status: row.status ?? 'pending',
    paidAt: row.paid_at,
    payerOpenid: row._openid || null,
    createdAt: row.created_at,
  };
}

/** Very old rows carry the merchant number in the column of the transaction. */
export function realTransactionId(order: OrderRecord): string | null {
  return order.transactionId === order.outTradeNo ? null : order.transactionId;
}
