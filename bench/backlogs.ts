import { createHash } from 'node:crypto';
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { createPool } from 'mysql2/promise';
import type { Pool, RowDataPacket } from 'mysql2/promise';
import { checkBuild, makeWorkDir, startOurs } from './contenders.ts';
import { createDatabase, openDurableServer, rows } from './database.ts';
import type { DurableServer } from './database.ts';
import { runScript, say, Trouble } from './library.ts';
import { notifyBody, orderAt, orderCreatedBody } from './orders.ts';
import { grantPaid, syncOrder } from './peer-transactions.ts';
import { seedOrders } from './seed.ts';
import { TEXTBOOK_TABLES } from './textbook-tables.ts';

/*
 * npm run bench:backlogs [-- N]: what waits in the tables, worked off by the built backend and by one transaction for each
 * order on ten connections, one after the other on the same durable server. Nothing comes in meanwhile.
 */

const COUNT_DEFAULT = 10_000;
const PEER_CONNECTIONS = 10;
const ROWS_PER_STATEMENT = 1_000;
const POLL_MS = 50;
const STANDSTILL_MS = 120_000;

type Range = { readonly firstIndex: number; readonly count: number };
type Side = { readonly database: DurableServer; readonly name: string };

await runScript(async () => {
  const count = Number(process.argv[2] ?? COUNT_DEFAULT);
  if (!Number.isInteger(count) || count < 1) throw new Trouble('the number of orders must be a whole number');
  checkBuild();
  const database = await openDurableServer(process.env.TEST_DB_URL);
  const peer = { database, name: `wxpay_bench_peer_${process.pid}` };
  const ours = { database, name: `wxpay_bench_${process.pid}` };
  await createDatabase(database, peer.name);
  await createDatabase(database, ours.name);
  const pool = createPool({
    ...database.address,
    database: peer.name,
    connectionLimit: PEER_CONNECTIONS,
  });
  try {
    for (const table of TEXTBOOK_TABLES) await pool.query(table);
    const workDir = makeWorkDir();
    await (await startOurs(workDir, database.address, ours.name)).stop(); // brings its schema
    say(`load average ${loadavg()[0]?.toFixed(1)}, ${count} orders for each work`);
    const drained = { firstIndex: 0, count };
    const synced = { firstIndex: count, count };
    const swept = { firstIndex: 2 * count, count };
    const perPeer = {
      swept: await measurePeer(pool, peer, swept, 'rows turned paid, granted'),
      synced: await measurePeer(pool, peer, synced, 'order-created, synced'),
    };
    await seedOrders(database.connection, ours.name, drained);
    await seedMessages(ours, drained, { topic: 'payment_notified', bodyAt: notifyBody });
    await measureOurs(workDir, ours, {
      what: 'notices, drained',
      table: 'entitlement_grants',
      target: count,
    });
    await seedMessages(ours, synced, { topic: 'order_created', bodyAt: orderCreatedMessage });
    const sync = { what: 'order-created, synced', table: 'payment_orders', target: 2 * count };
    tellRatio(await measureOurs(workDir, ours, sync), perPeer.synced);
    await seedOrders(database.connection, ours.name, swept);
    await turnPaid(ours, swept);
    const sweep = { what: 'rows turned paid, granted', table: 'entitlement_grants', target: 2 * count };
    tellRatio(await measureOurs(workDir, ours, sweep), perPeer.swept);
  } finally {
    await pool.end();
  }
  return 0;
});

function tell(what: string, who: string, perSecond: number): number {
  say(`${what.padEnd(28)} ${who.padEnd(32)} ${Math.round(perSecond)} per second`);
  return perSecond;
}

function tellRatio(ours: number, peer: number): void {
  say(`${''.padEnd(28)} ${'× peer'.padEnd(32)} ${(ours / peer).toFixed(2)}`);
}

async function measurePeer(pool: Pool, peer: Side, range: Range, what: string): Promise<number> {
  const isSweep = what.startsWith('rows');
  if (isSweep) {
    await seedOrders(peer.database.connection, peer.name, range);
    await turnPaid(peer, range);
  }
  const indexes = Array.from({ length: range.count }, (_, offset) => range.firstIndex + offset);
  const startedMs = performance.now();
  const lane = async () => {
    for (let index = indexes.pop(); index !== undefined; index = indexes.pop()) {
      const order = orderAt(index);
      await (isSweep ? grantPaid(pool, order.outTradeNo) : syncOrder(pool, order));
    }
  };
  await Promise.all(Array.from({ length: PEER_CONNECTIONS }, lane));
  return tell(what, 'one transaction for each order', (range.count / (performance.now() - startedMs)) * 1000);
}

/** From the moment the backend is ready until the table has as many rows as wanted. */
async function measureOurs(
  workDir: string,
  { database, name }: Side,
  until: { what: string; table: string; target: number },
): Promise<number> {
  const server = await startOurs(workDir, database.address, name);
  try {
    const countRows = async () => {
      const [row] = await rows<RowDataPacket & { n: number }>(
        database.connection,
        `SELECT COUNT(*) AS n FROM \`${name}\`.${until.table}`,
      );
      return Number(row?.n ?? 0);
    };
    const startedMs = performance.now();
    const before = await countRows();
    while ((await countRows()) < until.target) {
      if (performance.now() - startedMs > STANDSTILL_MS) throw new Trouble(`${until.what}: it stands still.`);
      await sleep(POLL_MS);
    }
    const perSecond = ((until.target - before) / (performance.now() - startedMs)) * 1000;
    return tell(until.what, `ours, ${until.target - before} left when ready`, perSecond);
  } finally {
    await server.stop();
  }
}

/** Rows as the cloud functions write them, without a notice. */
async function turnPaid({ database, name }: Side, { firstIndex, count }: Range): Promise<void> {
  const end = firstIndex + count;
  for (let first = firstIndex; first < end; first += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, end - first);
    const ids = Array.from({ length }, (_, offset) => orderAt(first + offset).id);
    await database.connection.query(
      `UPDATE \`${name}\`.payment_orders
          SET status = 'paid', paid_at = NOW(), transaction_id = CONCAT('4200', out_trade_no) WHERE id IN (?)`,
      [ids],
    );
  }
}

/** The message that is kept of such a body. */
function orderCreatedMessage(index: number): string {
  const { amount, ...body } = JSON.parse(orderCreatedBody(index)) as Record<string, unknown>;
  return JSON.stringify({ ...body, unionid: null, statedAmount: String(amount) });
}

async function seedMessages(
  { database, name }: Side,
  { firstIndex, count }: Range,
  { topic, bodyAt }: { topic: string; bodyAt: (index: number) => string },
): Promise<void> {
  const end = firstIndex + count;
  for (let first = firstIndex; first < end; first += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, end - first);
    const values = Array.from({ length }, (_, offset) => {
      const key = createHash('sha256')
        .update(`${topic} ${first + offset}`)
        .digest('hex');
      return [topic, key, orderAt(first + offset).outTradeNo, bodyAt(first + offset), new Date()];
    });
    await database.connection.query(
      `INSERT INTO \`${name}\`.inbox_messages (topic, dedupe_key, out_trade_no, payload, received_at) VALUES ?`,
      [values],
    );
  }
}
