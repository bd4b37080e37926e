import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';

export type TestDatabase = {
  /** The environment variables that point the application at this database. */
  env: Record<'DB_HOST' | 'DB_PORT' | 'DB_USER' | 'DB_PASSWORD' | 'DB_NAME', string>;
  server: 'mariadb' | 'mysql';
  /** Plain SQL as a cloud function would send it; DECIMAL and BIGINT come back as strings, times in UTC. */
  query<Row = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** A connection of its own, for tests that need two sessions at once; as another user when one is given. */
  connect(as?: { DB_USER: string; DB_PASSWORD: string }): Promise<mysql.Connection>;
  drop(): Promise<void>;
};

/** The server under test, given by `npm test` or by the caller as mysql://user:password@host:port */
function testServerUrl(): URL {
  const url = process.env.TEST_DB_URL;
  if (!url)
    throw new Error('TEST_DB_URL is not set: run `npm test`, or set it to mysql://user:password@host:port');
  return new URL(url);
}

function connectionOptions(database?: string): mysql.ConnectionOptions {
  const url = testServerUrl();
  return {
    host: url.hostname,
    port: Number(url.port || 3306),
    user: decodeURIComponent(url.username),
    password: decodeURIComponent(url.password),
    ...(database ? { database } : {}),
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
    decimalNumbers: false,
    multipleStatements: true,
  };
}

const DEADLOCK_TRIES_MAX = 5;

/** A statement of a test may be the victim of a deadlock with the jobs of the backend: nothing of it happened, so it comes again. */
async function queryAgain(pool: mysql.Pool, sql: string, values: unknown[]) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await pool.query(sql, values);
    } catch (error) {
      if ((error as { code?: string }).code !== 'ER_LOCK_DEADLOCK' || tries >= DEADLOCK_TRIES_MAX)
        throw error;
    }
  }
}

/** Creates an empty database of its own on the server under test. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `wxpay_test_${process.pid}_${randomBytes(4).toString('hex')}`;
  const root = await mysql.createConnection(connectionOptions());
  await root.query(`CREATE DATABASE \`${name}\``);
  const [rows] = await root.query('SELECT VERSION() AS version');
  const version = (rows as { version: string }[])[0]?.version ?? '';
  await root.end();
  const pool = mysql.createPool({ ...connectionOptions(name), connectionLimit: 4 });
  pool.pool.on('connection', (connection: { query(sql: string): void }) => {
    connection.query("SET time_zone = '+00:00'");
  });
  const url = testServerUrl();
  return {
    env: {
      DB_HOST: url.hostname,
      DB_PORT: url.port || '3306',
      DB_USER: decodeURIComponent(url.username),
      DB_PASSWORD: decodeURIComponent(url.password),
      DB_NAME: name,
    },
    server: version.includes('MariaDB') ? 'mariadb' : 'mysql',
    async query<Row>(sql: string, values: unknown[] = []) {
      const [result] = await queryAgain(pool, sql, values);
      return (Array.isArray(result) ? result : []) as Row[];
    },
    async connect(as) {
      const user = as ? { user: as.DB_USER, password: as.DB_PASSWORD } : {};
      const connection = await mysql.createConnection({ ...connectionOptions(name), ...user });
      await connection.query("SET time_zone = '+00:00'");
      return connection;
    },
    async drop() {
      await pool.query(`DROP DATABASE IF EXISTS \`${name}\``);
      await pool.end();
    },
  };
}

export type PlainUser = {
  /** As in TestDatabase, with this user's name and password. */
  env: TestDatabase['env'];
  /** 0 lifts the limit. Connections that are open stay open. */
  limitConnections(count: number): Promise<void>;
  connectionIds(): Promise<string[]>;
  drop(): Promise<void>;
};

/** A user as an application has one: every right on one database, and none of an administrator's. */
export async function createPlainUser(
  database: TestDatabase,
  password = `p-${randomBytes(12).toString('hex')}`,
): Promise<PlainUser> {
  const name = `wxpay_${randomBytes(6).toString('hex')}`;
  await database.query(`CREATE USER ?@'%' IDENTIFIED BY ?`, [name, password]);
  await database.query(`GRANT ALL PRIVILEGES ON \`${database.env.DB_NAME}\`.* TO ?@'%'`, [name]);
  return {
    env: { ...database.env, DB_USER: name, DB_PASSWORD: password },
    async limitConnections(count) {
      await database.query(`ALTER USER ?@'%' WITH MAX_USER_CONNECTIONS ${count}`, [name]);
    },
    async connectionIds() {
      const rows = await database.query<{ id: string }>(
        'SELECT ID AS id FROM information_schema.PROCESSLIST WHERE USER = ?',
        [name],
      );
      return rows.map(({ id }) => String(id));
    },
    async drop() {
      await database.query(`DROP USER ?@'%'`, [name]);
    },
  };
}

const REGENERATE_COUNT_AT_FIRST = 3;

/** What is wrong with the money at quiet (invariants I3, I4, I5 of the reliability page), in words; empty when all is well. */
export async function findMoneyFaults(database: TestDatabase): Promise<string[]> {
  const found = await Promise.all([
    database.query(`SELECT 'one transaction, two orders' AS fault, transaction_id AS subject FROM payment_orders
      WHERE transaction_id <> '' GROUP BY transaction_id HAVING COUNT(*) > 1`),
    database.query(`SELECT 'two orders of one number' AS fault, out_trade_no AS subject FROM payment_orders
      GROUP BY out_trade_no HAVING COUNT(*) > 1`),
    database.query(`SELECT 'granted twice' AS fault, out_trade_no AS subject FROM entitlement_grants
      WHERE entry = 'grant' GROUP BY out_trade_no HAVING COUNT(*) > 1`),
    database.query(`SELECT 'paid without grant' AS fault, o.out_trade_no AS subject FROM payment_orders o
      LEFT JOIN entitlement_grants g ON g.out_trade_no = o.out_trade_no AND g.entry = 'grant'
      WHERE o.status = 'paid' AND g.id IS NULL`),
    database.query(`SELECT 'grant without payment' AS fault, g.out_trade_no AS subject FROM entitlement_grants g
      LEFT JOIN payment_orders o ON o.out_trade_no = g.out_trade_no AND o.status IN ('paid', 'refunded')
      WHERE g.entry = 'grant' AND o.id IS NULL`),
    database.query(
      `SELECT 'user and ledger differ' AS fault, u.id AS subject FROM users u
         LEFT JOIN entitlement_grants g ON g.user_id = u.id
        GROUP BY u.id, u.payment_status, u.regenerate_count
       HAVING u.regenerate_count <> ? + COALESCE(SUM(g.regenerate_delta), 0)
           OR FIELD(u.payment_status, 'basic', 'premium') <> COALESCE(MAX(FIELD(g.package_type, 'basic', 'premium')), 0)`,
      [REGENERATE_COUNT_AT_FIRST],
    ),
  ]);
  return found.flat().map((row) => `${String(row.fault)}: ${String(row.subject)}`);
}
