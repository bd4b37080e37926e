import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { getBinlogReader, getServerPrograms, startPrivateServer } from './library.ts';
import type { PrivateServer, ServerKind } from './library.ts';

const QUERY_WITHIN_MS = 5_000;
const CONNECT_WITHIN_MS = 3_000;
const CONNECTIONS = 12;

/** A durable server of this run's own, which can be killed, stopped and started again at the same place. */
export class FaultServer {
  readonly kind: ServerKind;
  private readonly dir: string;
  private readonly binlogProgram: string;
  private running: PrivateServer;

  private constructor(of: { kind: ServerKind; dir: string; binlogProgram: string; running: PrivateServer }) {
    this.kind = of.kind;
    this.dir = of.dir;
    this.binlogProgram = of.binlogProgram;
    this.running = of.running;
  }

  /** @throws Trouble when there is no such server here */
  static async start(kind: ServerKind, dir: string): Promise<FaultServer> {
    const binlogProgram = await getBinlogReader(await getServerPrograms(kind));
    const running = await startPrivateServer({ kind, dir, durable: true });
    return new FaultServer({ kind, dir, binlogProgram, running });
  }

  get label(): string {
    return this.running.label;
  }

  get address(): { host: string; port: number } {
    return { host: '127.0.0.1', port: this.running.port };
  }

  async kill(): Promise<void> {
    process.kill(this.running.pid, 'SIGKILL');
    await this.running.exited;
  }

  async startAgain(): Promise<void> {
    this.running = await startPrivateServer({
      kind: this.kind,
      dir: this.dir,
      port: this.running.port,
      durable: true,
    });
  }

  /** Sockets stay open, and nobody answers. */
  freeze(): void {
    process.kill(this.running.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.running.pid, 'SIGCONT');
  }

  stop(): Promise<void> {
    return this.running.stop();
  }

  /** As root, who stands for the cloud functions and for whoever administers the server. */
  pool(database?: string): mysql.Pool {
    const pool = mysql.createPool({
      ...this.address,
      user: 'root',
      ...(database && { database }),
      connectionLimit: CONNECTIONS,
      connectTimeout: CONNECT_WITHIN_MS,
      timezone: 'Z',
      multipleStatements: true,
    });
    pool.pool.on('connection', (connection: { query(sql: string): void }) => {
      connection.query("SET time_zone = '+00:00', innodb_lock_wait_timeout = 3");
    });
    return pool;
  }

  /** Begins a new file of the binary log. @returns its name */
  async beginBinlog(root: mysql.Pool): Promise<string> {
    await query(root, 'FLUSH BINARY LOGS');
    const logs = await query<{ Log_name: string }>(root, 'SHOW BINARY LOGS');
    return logs.at(-1)?.Log_name ?? '';
  }

  /** Writes the changes of one database since that file began into `target`, as text. */
  async writeBinlog(
    root: mysql.Pool,
    of: { database: string; since: string },
    target: string,
  ): Promise<void> {
    const logs = await query<{ Log_name: string }>(root, 'SHOW BINARY LOGS');
    const files = logs
      .map((row) => row.Log_name)
      .filter((name) => name >= of.since)
      .map((name) => join(this.dir, 'data', name));
    const args = [
      '--no-defaults',
      '--base64-output=DECODE-ROWS',
      '-vv',
      `--database=${of.database}`,
      ...files,
    ];
    const out = openSync(target, 'w');
    const child = spawn(this.binlogProgram, args, {
      env: { ...process.env, TZ: 'UTC' }, // the text tells its times without a zone
      stdio: ['ignore', out, 'pipe'],
    });
    closeSync(out);
    let complaints = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (complaints += text));
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`the binary log could not be read: ${complaints}`);
  }
}

/** @throws the server's error, or a timeout: what was asked may have happened then */
export async function query<Row = Record<string, unknown>>(
  on: mysql.Pool | mysql.Connection,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const [result] = await on.query({ sql, values, timeout: QUERY_WITHIN_MS });
  return (Array.isArray(result) ? result : []) as Row[];
}
