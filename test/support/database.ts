import { randomBytes } from 'node:crypto';
import mysql from 'mysql2/promise';

export type TestDatabase = {
  /** The environment variables that point the application at this database. */
  env: Record<'DB_HOST' | 'DB_PORT' | 'DB_USER' | 'DB_PASSWORD' | 'DB_NAME', string>;
  server: 'mariadb' | 'mysql';
  /** Plain SQL as a cloud function would send it; DECIMAL and BIGINT come back as strings, times in UTC. */
  query<Row = Record<string, unknown>>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** A connection of its own, for tests that need two sessions at once. */
  connect(): Promise<mysql.Connection>;
  drop(): Promise<void>;
};

/** The server under test, given by `npm test` or by the caller as mysql://user:password@host:port */
export function testServerUrl(): URL {
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
      const [result] = await pool.query(sql, values);
      return (Array.isArray(result) ? result : []) as Row[];
    },
    async connect() {
      const connection = await mysql.createConnection(connectionOptions(name));
      await connection.query("SET time_zone = '+00:00'");
      return connection;
    },
    async drop() {
      await pool.query(`DROP DATABASE IF EXISTS \`${name}\``);
      await pool.end();
    },
  };
}
