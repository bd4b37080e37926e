/**
 * The limit: a Fastify that reads the same bodies and answers the same JSON, and keeps nothing; or, with a database, one that
 * answers after the INSERT of all that came while the one before was on its way. What this machine cannot do here, no
 * service on Fastify can do.
 */
import fastify from 'fastify';
import { createPool } from 'mysql2/promise';

const GROUP_MAX = 256;
/** The server syncs its log once for both. */
const WRITES_MAX = 2;
const TABLE = `CREATE TABLE IF NOT EXISTS kept_requests (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  body TEXT NOT NULL,
  received_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
) ENGINE = InnoDB`;

const PRICES = {
  success: true,
  data: {
    packages: { basic: 0.01, premium: 29.9 },
    effectiveAt: '2026-01-27T00:00:00Z',
    updatedAt: '2026-01-27T00:00:00Z',
  },
};

type Waiting = {
  readonly body: string;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
};

const keep = process.env.DB_NAME === undefined ? () => Promise.resolve() : await makeKeeper();

const app = fastify();
app.post('/api/payment/internal/notify', async ({ body }) => {
  await keep(body);
  return { success: true, message: '处理成功' };
});
app.post<{ Body: { orderId: string } }>('/api/payment/internal/order-created', async ({ body }) => {
  await keep(body);
  return { success: true, message: '订单已备份', orderId: body.orderId };
});
app.get('/api/prices/current', () => PRICES);

await app.listen({ host: process.env.HOST, port: Number(process.env.PORT) });

async function makeKeeper(): Promise<(body: unknown) => Promise<void>> {
  const pool = createPool({
    host: process.env.DB_HOST,
    port: Number(process.env.DB_PORT),
    user: process.env.DB_USER,
    password: process.env.DB_PASSWORD,
    database: process.env.DB_NAME,
    connectionLimit: WRITES_MAX,
  });
  await pool.query(TABLE);
  const waiting: Waiting[] = [];
  let writes = 0;
  const write = async (): Promise<void> => {
    if (writes >= WRITES_MAX) return;
    writes += 1;
    while (waiting.length > 0) {
      const group = waiting.splice(0, GROUP_MAX);
      try {
        await pool.query('INSERT INTO kept_requests (body) VALUES ?', [group.map(({ body }) => [body])]);
        for (const { done } of group) done();
      } catch (error) {
        for (const { failed } of group) failed(error);
      }
    }
    writes -= 1;
  };
  return (body) =>
    new Promise((done, failed) => {
      waiting.push({ body: JSON.stringify(body), done, failed });
      // After the others that were read together with it.
      setImmediate(() => void write());
    });
}
