/**
 * The peer: what a merchant's engineers would write from the contract. Express and a mysql2 pool; each notice is one
 * transaction that locks the order, marks it paid, inserts the grant and raises the user, and is answered after it.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import express from 'express';
import { createPool } from 'mysql2/promise';
import type { PoolConnection, RowDataPacket } from 'mysql2/promise';
import { inTransaction } from './peer-transactions.ts';

type OrderRow = RowDataPacket & { id: string; user_id: string; package_type: string; status: string };
type Notice = { outTradeNo?: unknown; transactionId?: unknown };

const CREDITS: Readonly<Record<string, number>> = { basic: 5, premium: 20 };
const digest = (text: string) => createHash('sha256').update(text).digest();
const secretDigest = digest(process.env.INTERNAL_API_SECRET ?? '');

const pool = createPool({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
  database: process.env.DB_NAME,
  connectionLimit: 10,
});

const app = express();
app.use(express.json());

app.post('/api/payment/internal/notify', async (req, res) => {
  const secret = req.get('x-internal-secret') ?? '';
  if (!timingSafeEqual(digest(secret), secretDigest)) {
    res.status(401).json({ error: 'Unauthorized' });
    return;
  }
  const { outTradeNo, transactionId } = req.body as Notice;
  if (typeof outTradeNo !== 'string' || typeof transactionId !== 'string') {
    res.status(400).json({ error: 'outTradeNo and transactionId are required' });
    return;
  }
  const isKnown = await inTransaction(pool, (connection) =>
    recordPaid(connection, outTradeNo, transactionId),
  );
  if (isKnown) res.json({ success: true, message: '处理成功' });
  else res.status(404).json({ error: 'Order not found' });
});

/** @returns whether there is such an order */
async function recordPaid(
  connection: PoolConnection,
  outTradeNo: string,
  transactionId: string,
): Promise<boolean> {
  const [[order]] = await connection.execute<OrderRow[]>(
    'SELECT id, user_id, package_type, status FROM payment_orders WHERE out_trade_no = ? FOR UPDATE',
    [outTradeNo],
  );
  if (!order) return false;
  if (order.status === 'refunded') return true;
  await connection.execute(
    "UPDATE payment_orders SET status = 'paid', transaction_id = ?, paid_at = NOW() WHERE id = ?",
    [transactionId, order.id],
  );
  try {
    await connection.execute(
      'INSERT INTO entitlement_grants (out_trade_no, user_id, package_type) VALUES (?, ?, ?)',
      [outTradeNo, order.user_id, order.package_type],
    );
  } catch (error) {
    if ((error as { code?: string }).code === 'ER_DUP_ENTRY') return true; // granted by an earlier notice
    throw error;
  }
  await connection.execute(
    `UPDATE users SET payment_status = IF(payment_status = 'premium', 'premium', ?),
            regenerate_count = regenerate_count + ? WHERE id = ?`,
    [order.package_type, CREDITS[order.package_type] ?? 0, order.user_id],
  );
  return true;
}

app.listen(Number(process.env.PORT), process.env.HOST ?? '127.0.0.1');
