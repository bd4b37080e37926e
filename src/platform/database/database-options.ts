import mysql2 from 'mysql2';
import type { Pool, PoolOptions } from 'mysql2';
import type { MysqlDataSourceOptions } from 'typeorm/driver/mysql/MysqlDataSourceOptions.js';
import type { DatabaseConfig } from '../config/app-config.js';

/** How long the way to a new connection may take; a stalled server accepts the socket and never greets. */
export const CONNECT_DEADLINE_MS = 2_000;

/**
 * A connection that stays silent this long is cut. It must exceed the lock wait below, or a query that
 * waits for a lock would look like a dead server.
 */
const SILENT_SOCKET_MS = 10_000;
/** Transactions here and in the cloud functions take milliseconds; one that waits this long makes room for others. */
const LOCK_WAIT_SECONDS = 1;

/** Requests beyond these wait for no connection: they fail at once and the edge turns to the spool. */
const POOL_QUEUE_MAX = 200;

/**
 * Strictness that no server default may take away: a value that does not fit is an error, never a guess,
 * and every time on the wire is UTC whatever the server's zone.
 */
const SESSION_SETTINGS =
  `SET time_zone = '+00:00', innodb_lock_wait_timeout = ${LOCK_WAIT_SECONDS}, ` +
  `sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'`;

export type ServerKind = 'mysql' | 'mariadb';

type ArmedConnection = {
  stream: { setTimeout(ms: number, onTimeout: () => void): void; destroy(error: Error): void };
  query(sql: string): void;
};

/**
 * The mysql2 driver with every pooled connection armed before its first use. Without this a query on a
 * stalled server waits for ever, and mysql2 offers no time limit for acquiring a connection either.
 */
function armedDriver(silentSocketMs: number | null): typeof mysql2 {
  return {
    ...mysql2,
    createPool(options: PoolOptions): Pool {
      const pool = mysql2.createPool(options);
      pool.on('connection', (connection) => {
        const armed = connection as unknown as ArmedConnection;
        if (silentSocketMs !== null) {
          armed.stream.setTimeout(silentSocketMs, () =>
            armed.stream.destroy(
              Object.assign(new Error('the database stayed silent'), { code: 'ETIMEDOUT' }),
            ),
          );
        }
        armed.query(SESSION_SETTINGS);
        // Also for statements outside transactions, whose gap locks would hold back rows they do not touch.
        armed.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
      });
      return pool;
    },
  } as typeof mysql2;
}

export function sslOptions(config: DatabaseConfig): { ssl?: { rejectUnauthorized: boolean } } {
  return config.ssl === 'off' ? {} : { ssl: { rejectUnauthorized: config.ssl === 'on' } };
}

/**
 * What TypeORM connects with. `patient` is for migrations: building an index on a large table is silent for minutes.
 */
export function dataSourceOptions(
  config: DatabaseConfig,
  use: { patient?: boolean; serverKind?: ServerKind } = {},
): MysqlDataSourceOptions {
  return {
    type: use.serverKind ?? 'mysql',
    host: config.host,
    port: config.port,
    username: config.user,
    password: config.password,
    database: config.name,
    ...sslOptions(config),
    driver: armedDriver(use.patient ? null : SILENT_SOCKET_MS),
    charset: 'utf8mb4',
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
    connectTimeout: CONNECT_DEADLINE_MS,
    poolSize: use.patient ? 2 : config.poolSize,
    extra: {
      queueLimit: POOL_QUEUE_MAX,
      maxIdle: config.poolSize,
      idleTimeout: 60_000,
      enableKeepAlive: true,
      // An object that reaches a query as a value becomes text, never a fragment of SQL.
      stringifyObjects: true,
    },
    synchronize: false,
    migrationsTransactionMode: 'each',
    isolationLevel: 'READ COMMITTED',
    logging: false,
  };
}
