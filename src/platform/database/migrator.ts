import mysql from 'mysql2/promise';
import type { RowDataPacket } from 'mysql2/promise';
import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/app-config.js';
import type { AppLogger } from '../logging/app-logger.js';
import { CONNECT_DEADLINE_MS, dataSourceOptions, sslOptions } from './database-options.js';
import type { ServerKind } from './database-options.js';
import { MIGRATIONS } from './migrations.js';

/** Another replica may be migrating; an index on a large table takes minutes. */
const LOCK_WAIT_SECONDS = 600;

/**
 * Brings the schema up to date. Replicas that start together take turns through a named lock of the server,
 * which falls with its connection, so that a killed migration leaves no lock behind.
 */
export async function runMigrations(
  config: DatabaseConfig,
  context: { serverKind: ServerKind; logger: Pick<AppLogger, 'info'> },
): Promise<void> {
  const lock = await mysql.createConnection({
    host: config.host,
    port: config.port,
    user: config.user,
    password: config.password,
    database: config.name,
    connectTimeout: CONNECT_DEADLINE_MS,
    ...sslOptions(config),
  });
  try {
    await holdLock(lock, `${config.name}.migrations`);
    await migrate(config, context);
  } finally {
    lock.destroy();
  }
}

async function holdLock(connection: mysql.Connection, name: string): Promise<void> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT GET_LOCK(?, ?) AS held', [
    name.slice(-64), // the longest name the server takes
    LOCK_WAIT_SECONDS,
  ]);
  if (Number(rows[0]?.held) !== 1)
    throw new Error('another process has been migrating the database for too long');
}

async function migrate(
  config: DatabaseConfig,
  context: { serverKind: ServerKind; logger: Pick<AppLogger, 'info'> },
): Promise<void> {
  const dataSource = new DataSource({
    ...dataSourceOptions(config, { patient: true, serverKind: context.serverKind }),
    migrations: [...MIGRATIONS],
  });
  await dataSource.initialize();
  try {
    const done = await dataSource.runMigrations();
    if (done.length > 0)
      context.logger.info('database.migrated', { migrations: done.length, last: done.at(-1)?.name });
  } finally {
    await dataSource.destroy();
  }
}
