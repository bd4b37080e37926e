import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import { rows } from './database.ts';
import type { DurableServer } from './database.ts';
import { say, Trouble, untilExit } from './library.ts';
import {
  BATCH_SQL,
  BUSY_USER,
  NUMBERS_TABLE,
  SEEDED_TABLES,
  STAGING_TABLE,
  stageSql,
  TOUCH_SQL,
} from './scale-orders.ts';
import type { OrderTimes } from './scale-orders.ts';

/** A multiple of the orders of a user; one transaction each. */
const ORDERS_PER_BATCH = 20_000;
const PROGRESS_EVERY_MS = 10_000;
const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;
const BILL_DAYS = 10;
/** The newest order is older than the widest window of a sweep. */
const NEWEST_AGE_MS = 2 * 3_600_000;
/** While seeding only: the rows can be made again, so nothing of them has to survive a power failure. */
const HASTY = {
  sync_binlog: 0,
  innodb_flush_log_at_trx_commit: 0,
  innodb_buffer_pool_size: 1_024 * 1_024 * 1_024,
};
const RESTORED_WITHIN_MS = 120_000;
const RESTORED_POLL_MS = 200;

/** Fills the tables of one database with the orders of a year. */
export class ScaleSeed {
  readonly times: OrderTimes;
  private readonly latestMs: number;
  private readonly server: DurableServer;
  private readonly connection: Connection;
  private readonly isOurServer: boolean;
  private readonly total: number;

  private constructor(
    server: DurableServer,
    connection: Connection,
    setting: { readonly total: number; readonly isOurServer: boolean },
  ) {
    this.server = server;
    this.connection = connection;
    this.isOurServer = setting.isOurServer;
    this.total = setting.total;
    this.latestMs = Date.now() - NEWEST_AGE_MS;
    const stepMs = Math.floor(YEAR_MS / setting.total);
    this.times = { stepMs, firstMs: this.latestMs - setting.total * stepMs };
  }

  static async open(
    server: DurableServer,
    database: string,
    setting: { total: number; isOurServer: boolean },
  ): Promise<ScaleSeed> {
    const connection = await createConnection({ ...server.address, database });
    untilExit({ stop: () => connection.end(), kill: () => connection.destroy() });
    await connection.query("SET time_zone = '+00:00'");
    await connection.query(NUMBERS_TABLE);
    const numbers = Array.from({ length: ORDERS_PER_BATCH }, (_, n) => [n]);
    await connection.query('INSERT INTO numbers (n) VALUES ?', [numbers]);
    await connection.query(STAGING_TABLE);
    await connection.query('INSERT INTO users (id) VALUES (?)', [BUSY_USER]);
    await connection.query('INSERT INTO bill_checks (bill_date, bill_type, row_count, new_count) VALUES ?', [
      daysBackFrom(Date.now()).map((day) => [day, 'REFUND', 0, 0]),
    ]);
    return new ScaleSeed(server, connection, setting);
  }

  /** When the order with this place was made; places count from the oldest. */
  createdAt(place: number): Date {
    const { firstMs, stepMs } = this.times;
    return new Date(Math.floor((firstMs + place * stepMs) / 1_000) * 1_000);
  }

  async fill(): Promise<void> {
    const settings = this.isOurServer ? await this.hurry() : null;
    const stage = stageSql(this.times, this.latestMs);
    const progress = startProgress(this.total);
    for (let first = 0; first < this.total; first += ORDERS_PER_BATCH) {
      const length = Math.min(ORDERS_PER_BATCH, this.total - first);
      await this.connection.query('TRUNCATE TABLE staged');
      await this.connection.query(stage, [first, first, length]);
      await this.connection.beginTransaction();
      for (const sql of BATCH_SQL) await this.connection.query(sql);
      await this.connection.commit();
      progress(first + length);
    }
    await this.connection.query(`ANALYZE TABLE ${SEEDED_TABLES.join(', ')}`);
    if (settings) await this.restore(settings);
  }

  /** Has the newest rows look changed just now, which they are settled for. */
  async touchNewest(): Promise<void> {
    for (const sql of TOUCH_SQL) await this.connection.query(sql);
  }

  /** So that the endless passes read what is in no cache, as most of their steps do. */
  async placePassesInTheMiddle(): Promise<void> {
    const { firstMs, stepMs } = this.times;
    const middle = `-${firstMs + Math.floor(this.total / 2) * stepMs}`;
    const places = [
      ['paid-sweep-full', `order${middle}`],
      ['refunded-sweep-full', `order${middle}`],
      ['pending-discovery-full', `order${middle}`],
      ['refund-sweep-full', `refund${middle}`],
    ];
    await this.connection.query('DELETE FROM job_leases');
    await this.connection.query('INSERT INTO job_leases (name, cursor_value, expires_at) VALUES ?', [
      places.map((place) => [...place, '2026-01-01']),
    ]);
  }

  /** How many rows each table has: a tick that is idle changes none of it. */
  async countRows(): Promise<string> {
    const counts = SEEDED_TABLES.map((table) => `(SELECT COUNT(*) FROM ${table}) AS ${table}`).join(', ');
    const [row] = await rows<Record<string, number>>(this.connection, `SELECT ${counts}`);
    return JSON.stringify(row);
  }

  private async hurry(): Promise<Record<string, number>> {
    const before = await this.globals();
    await this.connection.query('SET SESSION sql_log_bin = 0');
    await this.set(HASTY);
    return before;
  }

  /** @throws {Trouble} when the server would be measured with other settings than it was started with */
  private async restore(settings: Record<string, number>): Promise<void> {
    await this.connection.query('SET SESSION sql_log_bin = 1');
    await this.set(settings);
    // The buffer pool shrinks in the background.
    const deadlineMs = performance.now() + RESTORED_WITHIN_MS;
    while (performance.now() < deadlineMs) {
      const now = await this.globals();
      if (Object.entries(settings).every(([name, value]) => now[name] === value)) return;
      await sleep(RESTORED_POLL_MS);
    }
    throw new Trouble('The server did not go back to its own settings after the seeding.');
  }

  private async globals(): Promise<Record<string, number>> {
    const columns = Object.keys(HASTY).map((name) => `@@GLOBAL.${name} AS ${name}`);
    const [row] = await rows<Record<string, number>>(this.server.connection, `SELECT ${columns.join(', ')}`);
    return Object.fromEntries(Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]));
  }

  private async set(settings: Record<string, number>): Promise<void> {
    for (const [name, value] of Object.entries(settings))
      await this.server.connection.query(`SET GLOBAL ${name} = ${value}`);
  }
}

function startProgress(count: number): (done: number) => void {
  const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
  const startedMs = performance.now();
  let toldMs = startedMs;
  return (done) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < PROGRESS_EVERY_MS && done < count) return;
    toldMs = nowMs;
    const perSecond = (done / (nowMs - startedMs)) * 1_000;
    const minutesLeft = (count - done) / perSecond / 60;
    say(
      `    ${whole.format(done)} orders, ${whole.format(perSecond)} rows/s, ${Math.ceil(minutesLeft)} minutes left`,
    );
  };
}

/** More than the reconciliation looks back: every bill was read. */
function daysBackFrom(nowMs: number): string[] {
  return Array.from({ length: BILL_DAYS }, (_, back) =>
    new Date(nowMs - back * DAY_MS).toISOString().slice(0, 10),
  );
}
