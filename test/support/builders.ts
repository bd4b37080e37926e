import type { TestDatabase } from './database.js';

let sequence = 0;

/** A merchant number as the callers make them: 13 digits of the clock and 5 more. */
export function newOutTradeNo(): string {
  sequence += 1;
  return `${Date.now()}${String(sequence).padStart(5, '0')}`;
}

export type OrderBody = Record<string, unknown> & { outTradeNo: string };

/** The body of an order-created message as the deployed function sends it. */
export function orderCreatedBody(changes: Record<string, unknown> = {}): OrderBody {
  const outTradeNo = newOutTradeNo();
  return {
    orderId: `order-${outTradeNo.slice(0, 13)}-${outTradeNo.slice(-5)}x`,
    outTradeNo,
    userId: `user-${outTradeNo.slice(0, 13)}-${outTradeNo.slice(-5)}`,
    openid: `oTest${outTradeNo}`,
    amount: 2990,
    packageType: 'premium',
    tradeType: 'JSAPI',
    status: 'pending',
    reason: 'db_unavailable',
    ...changes,
  };
}

/** The body of the notify message that follows. */
export function notifyBody(order: { outTradeNo: string }, changes: Record<string, unknown> = {}): OrderBody {
  return {
    outTradeNo: order.outTradeNo,
    transactionId: `4200${order.outTradeNo}`,
    status: 'paid',
    packageType: 'premium',
    openid: `oTest${order.outTradeNo}`,
    ...changes,
  };
}

export type OrderRowValues = {
  id: string;
  user_id: string;
  generation_id: string;
  out_trade_no: string;
  transaction_id: string | null;
  amount: string;
  package_type: string;
  status: string;
  paid_at: Date | null;
  _openid: string | null;
  created_at: Date;
};

/** A row as a cloud function writes it, with its user. */
export async function insertOrderRow(
  database: TestDatabase,
  changes: Partial<OrderRowValues> = {},
): Promise<OrderRowValues> {
  const outTradeNo = changes.out_trade_no ?? newOutTradeNo();
  const userId = changes.user_id ?? `user-${outTradeNo}`;
  const row: OrderRowValues = {
    id: `order-${outTradeNo.slice(0, 13)}-${outTradeNo.slice(-5)}r`,
    user_id: userId,
    generation_id: userId,
    out_trade_no: outTradeNo,
    transaction_id: null,
    amount: '29.90',
    package_type: 'premium',
    status: 'pending',
    paid_at: null,
    _openid: null,
    created_at: new Date(),
    ...changes,
  };
  const known = await database.query('SELECT id FROM users WHERE id = ?', [row.user_id]);
  if (known.length === 0) await database.query('INSERT INTO users (id) VALUES (?)', [row.user_id]);
  await database.query('INSERT INTO payment_orders SET ?', [row]);
  return row;
}
