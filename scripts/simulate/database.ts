import mysql from 'mysql2/promise';
import type { Pool, PoolConnection, ResultSetHeader, RowDataPacket } from 'mysql2/promise';

export type DatabaseAddress = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
};

type Value = string | number | null | readonly string[];

/** Cloud functions have a few warm instances with a few connections each. */
const CONNECTIONS_MAX = 16;
const CONNECT_DEADLINE_MS = 5_000;

/** The shared database as the cloud functions reach it: plain SQL, and the server's own time zone and modes. */
export class Database {
  private readonly pool: Pool;

  constructor({ name, ...address }: DatabaseAddress) {
    this.pool = mysql.createPool({
      ...address,
      database: name,
      charset: 'utf8mb4',
      connectionLimit: CONNECTIONS_MAX,
      connectTimeout: CONNECT_DEADLINE_MS,
      dateStrings: true,
      supportBigNumbers: true,
      bigNumberStrings: true,
    });
  }

  async rows<T>(sql: string, values: readonly Value[] = []): Promise<T[]> {
    const [rows] = await this.pool.query<RowDataPacket[]>(sql, [...values]);
    return rows as T[];
  }

  async run(sql: string, values: readonly Value[] = []): Promise<void> {
    await this.pool.query<ResultSetHeader>(sql, [...values]);
  }

  /** Holds a transaction open as long as `work` takes. */
  async inTransaction(work: (connection: PoolConnection) => Promise<void>): Promise<void> {
    const connection = await this.pool.getConnection();
    try {
      await connection.beginTransaction();
      await work(connection);
      await connection.commit();
    } catch (error) {
      await connection.rollback();
      throw error;
    } finally {
      connection.release();
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

export function isDuplicateEntry(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && error.errno === 1062;
}
