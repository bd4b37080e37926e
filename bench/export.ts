import { createConnection } from 'mysql2';
import { createAdminToken } from './admin-token.ts';
import { checkBuild, makeWorkDir, startOurs } from './contenders.ts';
import { createDatabase, openDurableServer, rows } from './database.ts';
import type { DurableServer } from './database.ts';
import { LOOPBACK, runScript, say, Trouble } from './library.ts';
import type { ServerProcess } from './server-process.ts';

/*
 * npm run bench:export [-- N]: the export of N orders (a million by default) beside the same rows read raw by the driver,
 * in the same run. The raw peer writes nothing and formats nothing: it is the limit, and nothing that could be used.
 */

const ORDERS_DEFAULT = 1_000_000;
const ROWS_PER_STATEMENT = 5_000;
const USERS = 1_000;
const SAMPLE_EVERY_MS = 100;
const FROM = '2026-01-01T00:00:00Z';
const TO = '2026-12-31T00:00:00Z';

await runScript(async () => {
  const orders = Number(process.argv[2] ?? ORDERS_DEFAULT);
  if (!Number.isInteger(orders) || orders < 1)
    throw new Trouble('the number of orders must be a whole number');
  checkBuild();
  const workDir = makeWorkDir();
  const database = await openDurableServer(process.env.TEST_DB_URL);
  const name = `wxpay_bench_export_${process.pid}`;
  await createDatabase(database, name);
  const server = await startOurs(workDir, database.address, name);
  try {
    const token = await seed(database, name, orders);
    const peer = await readRaw(database, name);
    say(`raw mysql2 stream: ${Math.round(peer)} rows/s`);
    for (const format of ['csv', 'xlsx'] as const)
      await measure(server, { format, token, peer, orders, database, name });
  } finally {
    await server.stop();
  }
  return 0;
});

async function seed({ connection }: DurableServer, name: string, orders: number): Promise<string> {
  say(`seeding ${orders} orders`);
  await connection.query(`USE \`${name}\``);
  await connection.query('INSERT INTO users (id) VALUES ?', [
    Array.from({ length: USERS }, (_, at) => [`user-${at}`]),
  ]);
  for (let first = 0; first < orders; first += ROWS_PER_STATEMENT) {
    const length = Math.min(ROWS_PER_STATEMENT, orders - first);
    const values = Array.from({ length }, (_, offset) => orderValues(first + offset));
    await connection.query(
      `INSERT INTO payment_orders
         (id, user_id, generation_id, out_trade_no, transaction_id, amount, package_type, status, created_at, paid_at, updated_at) VALUES ?`,
      [values],
    );
    // Granted already: otherwise the sweep would grant a million orders beside the measurement.
    await connection.query(
      `INSERT INTO entitlement_grants
         (out_trade_no, user_id, package_type, regenerate_delta, origin, granted_by) VALUES ?`,
      [values.map(([, user, , number]) => [number, user, 'premium', 0, 'payment', 'bench'])],
    );
  }
  return createAdminToken(connection, 'operator');
}

function orderValues(at: number): unknown[] {
  const ms = 1_767_260_000_000 + at * 20_000;
  const time = new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
  const fen = String(at % 10_000).padStart(3, '0');
  const user = `user-${at % USERS}`;
  const number = `${ms}${String(at % 100_000).padStart(5, '0')}`;
  return [
    `order-${at}`,
    user,
    user,
    number,
    `4200${number}`,
    `${fen.slice(0, -2)}.${fen.slice(-2)}`,
    'premium',
    'paid',
    time,
    time,
    // As old as the orders: the sweeps look through all that changed lately, and would be measured as well.
    time,
  ];
}

/** Rows in a second of the bare driver: one statement, the same columns and order. */
function readRaw({ address }: DurableServer, name: string): Promise<number> {
  const connection = createConnection({ ...address, database: name, dateStrings: true });
  const startedMs = performance.now();
  let count = 0;
  return new Promise((resolve, reject) => {
    const stream = connection
      .query('SELECT * FROM payment_orders ORDER BY created_at, id')
      .stream({ highWaterMark: 1_000 });
    stream.on('data', () => (count += 1));
    stream.on('error', reject);
    stream.on('end', () => {
      connection.destroy();
      resolve((count / (performance.now() - startedMs)) * 1000);
    });
  });
}

type Round = {
  readonly format: 'csv' | 'xlsx';
  readonly token: string;
  readonly peer: number;
  readonly orders: number;
  readonly database: DurableServer;
  readonly name: string;
};

async function measure(server: ServerProcess, round: Round): Promise<void> {
  const { format, token, peer, orders, database, name } = round;
  const before = server.residentMb() ?? 0;
  let most = before;
  const sampling = setInterval(() => (most = Math.max(most, server.residentMb() ?? 0)), SAMPLE_EVERY_MS);
  const startedMs = performance.now();
  const answer = await fetch(
    `http://${LOOPBACK}:${server.port}/api/admin/export/orders?from=${FROM}&to=${TO}&format=${format}`,
    { headers: { Authorization: `Bearer ${token}` } },
  );
  if (!answer.ok || !answer.body) throw new Trouble(`the export answered ${answer.status}`);
  let bytes = 0;
  let last = Buffer.alloc(0);
  for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
    bytes += piece.length;
    last = Buffer.concat([last, piece]).subarray(-2_000);
  }
  clearInterval(sampling);
  const perSecond = (orders / (performance.now() - startedMs)) * 1000;
  say(
    `${format}: ${Math.round(perSecond)} rows/s, ${(perSecond / peer).toFixed(2)} × raw, ` +
      `${Math.round(bytes / 1e6)} MB, memory ${before} MB, at most ${most} MB (+${Math.round(most - before)})`,
  );
  if (format === 'csv') await checkSum(last.toString('utf8'), { database, name, orders });
}

async function checkSum(
  end: string,
  { database, name, orders }: { database: DurableServer; name: string; orders: number },
): Promise<void> {
  const [row] = await rows<{ amount: string }>(
    database.connection,
    `SELECT SUM(amount) AS amount FROM \`${name}\`.payment_orders`,
  );
  const summary = end.trimEnd().split('\r\n').at(-1) ?? '';
  const isEqual = summary.startsWith(`合计：${orders} 笔,`) && summary.split(',')[11] === row?.amount;
  if (!isEqual) throw new Trouble(`the sums differ: ${summary} and ${row?.amount}`);
  say(`the sum of the file is that of the table, to the fen: ${row?.amount}`);
}
