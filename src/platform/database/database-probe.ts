import mysql from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import { withDeadline } from '../../shared/deadline.js';
import type { DatabaseConfig } from '../config/app-config.js';
import { CONNECT_DEADLINE_MS, sslOptions } from './database-options.js';
import type { ServerKind } from './database-options.js';

const PROBE_DEADLINE_MS = 2_000;

/** The oldest servers that lock with SKIP LOCKED, which the queues need. */
const VERSION_MIN: Record<ServerKind, readonly [number, number]> = { mysql: [8, 0], mariadb: [10, 6] };

/** Runs `use` on a connection of its own, cut at a deadline: pooled connections may hang on a stalled server. */
async function onOwnConnection<T>(
  config: DatabaseConfig,
  use: (c: mysql.Connection) => Promise<T>,
): Promise<T> {
  const opening = mysql.createConnection({
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.name,
    connectTimeout: CONNECT_DEADLINE_MS,
    ...sslOptions(config),
  });
  try {
    return await withDeadline('the database', PROBE_DEADLINE_MS, opening.then(use));
  } finally {
    // Also when it opens after the deadline.
    opening.then((connection) => connection.destroy()).catch(() => undefined);
  }
}

/** Proves that a write goes through: a server that is read-only or stalled behind a lock still answers reads. */
export async function probeWrite(config: DatabaseConfig): Promise<void> {
  await onOwnConnection(config, async (connection) => {
    await connection.query(
      "SET SESSION innodb_lock_wait_timeout = 1, lock_wait_timeout = 1, time_zone = '+00:00'",
    );
    await connection.query("UPDATE job_leases SET expires_at = NOW(3) WHERE name = 'availability-probe'");
  });
}

/** @throws Error when the server is too old to be used */
export async function detectServerKind(config: DatabaseConfig): Promise<ServerKind> {
  return onOwnConnection(config, async (connection) => {
    const [rows] = await connection.query<RowDataPacket[]>('SELECT VERSION() AS version');
    return serverKindOf(String(rows[0]?.version));
  });
}

function serverKindOf(version: string): ServerKind {
  const kind: ServerKind = /mariadb/i.test(version) ? 'mariadb' : 'mysql';
  const [major = 0, minor = 0] = version
    .replace(/^5\.5\.5-/, '')
    .split('.')
    .map(Number);
  const [majorMin, minorMin] = VERSION_MIN[kind];
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return kind;
  throw new Error(
    `the database server is too old (${version}): MySQL 8.0 or MariaDB 10.6 is the oldest that works`,
  );
}
