import { Injectable } from '@nestjs/common';
import mysql from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { withDeadline } from '../../shared/deadline.js';
import { DomainError } from '../../shared/domain-error.js';
import { AppConfig } from '../config/app-config.js';
import { AppLogger } from '../logging/app-logger.js';
import { scrubError } from '../logging/scrub.js';
import { DatabaseAvailability } from './database-availability.js';
import { databaseUnavailable, isDatabaseUnavailable } from './database-error.js';
import { CONNECT_DEADLINE_MS, sslOptions } from './database-options.js';

export type SnapshotPurpose = 'export' | 'statistics';

/** Each holds a connection beside the pool and keeps the server from forgetting old rows: few at once in one process. */
const AT_ONCE_MAX: Record<SnapshotPurpose, number> = { export: 2, statistics: 2 };
const RETRY_AFTER_SECONDS = 30;
/** Reads here go in bounded steps; one that takes longer waits for a server that has stalled. */
const QUERY_DEADLINE_MS = 30_000;

/** The zone of the business. Fixed: there has been no summer time since 1991. */
const SHANGHAI_OFFSET = '+08:00';

/** One moment of the whole database, read in as many statements as it takes. */
export class Snapshot {
  private isOpen = true;
  private readonly waiting = new Set<(error: Error) => void>();

  constructor(
    private readonly connection: Connection,
    private readonly on: { readonly close: () => void; readonly failure: (error: unknown) => Error },
  ) {}

  /** TIMESTAMP columns come as text in the time of Shanghai, DECIMAL and BIGINT as text; Dates given are instants. */
  async query<Row>(sql: string, values: readonly unknown[]): Promise<Row[]> {
    if (!this.isOpen) throw databaseUnavailable();
    let abandon = (_: Error): void => undefined;
    // One for each statement: a promise that lives as long as the snapshot would keep the rows of every race it was in.
    const abandoned = new Promise<never>((_, reject) => (abandon = reject));
    this.waiting.add(abandon);
    try {
      const asked = Promise.race([this.connection.query(sql, [...values]), abandoned]);
      const [rows] = await withDeadline('the database', QUERY_DEADLINE_MS, asked);
      return rows as Row[];
    } catch (error) {
      throw this.on.failure(error);
    } finally {
      this.waiting.delete(abandon);
    }
  }

  /** Cuts the connection, whatever it is doing; a second time changes nothing. */
  close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    cut(this.connection);
    for (const abandon of this.waiting) abandon(databaseUnavailable());
    this.on.close();
  }
}

/** Opens snapshots on connections of their own, so that a long read takes none from the orders. */
@Injectable()
export class SnapshotReader {
  private readonly open: Record<SnapshotPurpose, number> = { export: 0, statistics: 0 };

  constructor(
    private readonly config: AppConfig,
    private readonly availability: DatabaseAvailability,
    private readonly logger: AppLogger,
  ) {}

  /** @throws DomainError `busy` when as many as may be are open, `database_unavailable` when there is no server */
  async begin(purpose: SnapshotPurpose): Promise<Snapshot> {
    if (!this.availability.isAvailable) throw databaseUnavailable();
    if (this.open[purpose] >= AT_ONCE_MAX[purpose]) {
      throw new DomainError(
        'busy',
        'throttled',
        'Others are being made at this moment: try again in half a minute.',
        { retryAfterSeconds: RETRY_AFTER_SECONDS },
      );
    }
    this.open[purpose] += 1;
    const close = () => void (this.open[purpose] -= 1);
    const failure = (error: unknown) => this.failure(error);
    try {
      return new Snapshot(await this.connect(), { close, failure });
    } catch (error) {
      close();
      throw failure(error);
    }
  }

  /**
   * A connection that is refused, or a read that takes too long, says nothing of the pool that the orders use: told as
   * what it is, it would open their breaker.
   */
  private failure(error: unknown): Error {
    if (error instanceof DomainError || !isDatabaseUnavailable(error)) return error as Error;
    const { code, message } = scrubError(error);
    this.logger.warned('snapshot.failed', { reason: code ?? message });
    return databaseUnavailable();
  }

  private async connect(): Promise<Connection> {
    const { host, port, user, password, name } = this.config.database;
    const opening = mysql.createConnection({
      host,
      port,
      user,
      password,
      database: name,
      ...sslOptions(this.config.database),
      charset: 'utf8mb4',
      timezone: SHANGHAI_OFFSET,
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
      connectTimeout: CONNECT_DEADLINE_MS,
      stringifyObjects: true,
    });
    try {
      return await withDeadline('the database', CONNECT_DEADLINE_MS, opening.then(startSnapshot));
    } catch (error) {
      // Also when it opens after the deadline.
      opening.then(cut).catch(() => undefined);
      throw error;
    }
  }
}

/** The driver's own `destroy` only says goodbye, to a server that may not listen. */
function cut(connection: Connection): void {
  connection.destroy();
  const { stream } = (connection as unknown as { connection: { stream: { destroy(): void } } }).connection;
  stream.destroy();
}

async function startSnapshot(connection: Connection): Promise<Connection> {
  // A connection that breaks between two statements tells so by this event, and the next statement fails.
  connection.on('error', () => undefined);
  await connection.query(`SET time_zone = '${SHANGHAI_OFFSET}'`);
  await connection.query('SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ');
  await connection.query('START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY');
  return connection;
}
