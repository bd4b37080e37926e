import type { Connection } from 'mysql2/promise';
import { orderAt } from './orders.ts';

/** Well under max_allowed_packet, and large enough that the commits do not matter. */
const ROWS_PER_STATEMENT = 1_000;

/** Inserts pending orders and the user of each, as the cloud functions would have, before anything is measured. */
export async function seedOrders(
  connection: Connection,
  database: string,
  range: { firstIndex: number; count: number },
): Promise<void> {
  const end = range.firstIndex + range.count;
  for (let first = range.firstIndex; first < end; first += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, end - first);
    const orders = Array.from({ length }, (_, offset) => orderAt(first + offset));
    await connection.query(`INSERT INTO \`${database}\`.users (id, openid) VALUES ?`, [
      orders.map(({ userId, openid }) => [userId, openid]),
    ]);
    await connection.query(
      `INSERT INTO \`${database}\`.payment_orders
         (id, user_id, generation_id, out_trade_no, amount, package_type, _openid) VALUES ?`,
      [
        orders.map((order) => [
          order.id,
          order.userId,
          order.generationId,
          order.outTradeNo,
          order.amountYuan,
          order.packageType,
          order.openid,
        ]),
      ],
    );
  }
}
