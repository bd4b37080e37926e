import type { Pool, PoolConnection, RowDataPacket } from 'mysql2/promise';
import type { BenchOrder } from './orders.ts';

/** What a merchant's engineers would write to work off a backlog: one transaction for each order. */

const CREDITS: Readonly<Record<string, number>> = { basic: 5, premium: 20 };

type OrderRow = RowDataPacket & { user_id: string; package_type: string };

export function grantPaid(pool: Pool, outTradeNo: string): Promise<void> {
  return inTransaction(pool, async (connection) => {
    const [[order]] = await connection.execute<OrderRow[]>(
      "SELECT user_id, package_type FROM payment_orders WHERE out_trade_no = ? AND status = 'paid' FOR UPDATE",
      [outTradeNo],
    );
    if (!order) return;
    await connection.execute(
      'INSERT INTO entitlement_grants (out_trade_no, user_id, package_type) VALUES (?, ?, ?)',
      [outTradeNo, order.user_id, order.package_type],
    );
    await connection.execute(
      `UPDATE users SET payment_status = IF(payment_status = 'premium', 'premium', ?),
              regenerate_count = regenerate_count + ? WHERE id = ?`,
      [order.package_type, CREDITS[order.package_type] ?? 0, order.user_id],
    );
  });
}

export function syncOrder(pool: Pool, order: BenchOrder): Promise<void> {
  return inTransaction(pool, async (connection) => {
    const [known] = await connection.execute<RowDataPacket[]>('SELECT id FROM users WHERE id = ?', [
      order.userId,
    ]);
    if (known.length === 0) {
      await connection.execute('INSERT INTO users (id, openid) VALUES (?, ?)', [order.userId, order.openid]);
    }
    await connection.execute(
      `INSERT INTO payment_orders (id, user_id, generation_id, out_trade_no, amount, package_type, _openid)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [
        order.id,
        order.userId,
        order.userId,
        order.outTradeNo,
        order.amountYuan,
        order.packageType,
        order.openid,
      ],
    );
  });
}

export async function inTransaction<T>(
  pool: Pool,
  work: (connection: PoolConnection) => Promise<T>,
): Promise<T> {
  const connection = await pool.getConnection();
  try {
    await connection.beginTransaction();
    const result = await work(connection);
    await connection.commit();
    return result;
  } catch (error) {
    await connection.rollback();
    throw error;
  } finally {
    connection.release();
  }
}
