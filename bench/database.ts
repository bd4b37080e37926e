import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { createConnection } from 'mysql2/promise';
import type { Connection, RowDataPacket } from 'mysql2/promise';
import { LOOPBACK, say, startPrivateServer, Trouble, untilExit } from './library.ts';

export type DatabaseAddress = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
};

export type DurableServer = {
  readonly address: DatabaseAddress;
  readonly version: string;
  readonly settings: Readonly<Record<string, string>>;
  /** For seeding and checking; not one of the measured connections. */
  readonly connection: Connection;
};

const MYSQL_PORT = 3306;
const LOCAL_HOSTS = [LOOPBACK, 'localhost', '::1'];
/** What makes a commit survive a power failure; without it every figure would be about memory. */
export const DURABLE: Readonly<Record<string, string>> = {
  innodb_flush_log_at_trx_commit: '1',
  sync_binlog: '1',
  log_bin: '1',
};
const TOLD_AS_WELL = [
  'binlog_format',
  'innodb_doublewrite',
  'innodb_buffer_pool_size',
  'innodb_flush_method',
];
/** From linux/magic.h: a file system in memory, where a sync costs nothing. */
const TMPFS_MAGIC = 0x01021994;

/** The server all contenders are measured on: one of our own in a temporary folder, or the one in TEST_DB_URL. */
export async function openDurableServer(givenUrl: string | undefined): Promise<DurableServer> {
  refuseMemoryDisk();
  const address = givenUrl ? localAddress(givenUrl) : await startOwn();
  const connection = await createConnection({ ...address, connectTimeout: 5_000 });
  untilExit({ stop: () => connection.end(), kill: () => connection.destroy() });
  // MariaDB's default is 0, and there a crash may lose what was committed last. Only our own server is changed.
  if (!givenUrl) await connection.query('SET GLOBAL sync_binlog = 1');
  const settings = await readSettings(connection);
  const wrong = Object.keys(DURABLE).filter((name) => settings[name] !== DURABLE[name]);
  if (wrong.length > 0) {
    const found = wrong.map((name) => `${name}=${settings[name]} instead of ${DURABLE[name]}`).join(', ');
    throw new Trouble(`The database server is not durable, so nothing was measured: ${found}.`);
  }
  const [row] = await rows<{ version: string }>(connection, 'SELECT VERSION() AS version');
  return { address, version: row?.version ?? 'unknown', settings, connection };
}

/** Makes an empty database; on a server that stays it is dropped at the end. */
export async function createDatabase({ connection }: DurableServer, name: string): Promise<void> {
  await connection.query(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
  const drop = async () => void (await connection.query(`DROP DATABASE IF EXISTS \`${name}\``));
  untilExit({ stop: drop, kill: () => say(`The database ${name} is left behind.`) });
}

export async function rows<Row>(
  connection: Connection,
  sql: string,
  values: (string | number)[] = [],
): Promise<Row[]> {
  const [found] = await connection.query<RowDataPacket[]>(sql, values);
  return found as Row[];
}

async function readSettings(connection: Connection): Promise<Record<string, string>> {
  const names = [...Object.keys(DURABLE), ...TOLD_AS_WELL];
  const columns = names.map((name) => `@@GLOBAL.${name} AS ${name}`).join(', ');
  const [row] = await rows<Record<string, string | number | null>>(connection, `SELECT ${columns}`);
  return Object.fromEntries(names.map((name) => [name, String(row?.[name] ?? 'unset')]));
}

async function startOwn(): Promise<DatabaseAddress> {
  say('Starting a durable database server in a temporary folder …');
  const { url } = await startPrivateServer({ durable: true });
  return localAddress(url);
}

function localAddress(text: string): DatabaseAddress {
  if (!URL.canParse(text))
    throw new Trouble('TEST_DB_URL must look like mysql://user:password@127.0.0.1:port');
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, ''); // an IPv6 address is bracketed in a URL only
  if (!LOCAL_HOSTS.includes(host)) {
    throw new Trouble(`TEST_DB_URL is on ${host}: load is put on servers of this machine only.`);
  }
  return {
    host,
    port: Number(url.port || MYSQL_PORT),
    user: decodeURIComponent(url.username) || 'root',
    password: decodeURIComponent(url.password),
  };
}

function refuseMemoryDisk(): void {
  if (statfsSync(tmpdir()).type !== TMPFS_MAGIC) return;
  throw new Trouble(
    `${tmpdir()} is in memory, where being durable costs nothing: set TMPDIR to a folder on a disk.`,
  );
}
