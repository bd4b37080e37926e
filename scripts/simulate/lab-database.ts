import { randomBytes } from 'node:crypto';
import { createConnection } from 'mysql2/promise';
import type { Connection } from 'mysql2/promise';
import type { DatabaseAddress } from './database.ts';
import type { LabParts } from './lab-parts.ts';

/** The lab cannot be set up here, which says nothing about the backend: its stories are not run. */
export class LabUnavailable extends Error {}

const CONNECT_DEADLINE_MS = 5_000;
/** ER_DBACCESS_DENIED_ERROR and ER_SPECIFIC_ACCESS_DENIED_ERROR. */
const DENIED = [1044, 1227];

/** An empty database of the lab's own beside the given one; it is dropped at the end. @throws LabUnavailable */
export async function createLabDatabase(beside: DatabaseAddress, parts: LabParts): Promise<DatabaseAddress> {
  const name = `wxpay_simulate_${process.pid}_${randomBytes(4).toString('hex')}`;
  const on = (sql: string) => withConnection(beside, (connection) => connection.query(sql));
  try {
    await on(`CREATE DATABASE \`${name}\` CHARACTER SET utf8mb4`);
  } catch (error) {
    if (!isDenied(error)) throw error;
    throw new LabUnavailable(
      `The database user ${beside.user} may not create databases, and these stories need one of their own`,
    );
  }
  parts.add({
    stop: async () => void (await on(`DROP DATABASE IF EXISTS \`${name}\``)),
    kill: () => process.stdout.write(`The database ${name} is left behind.\n`),
  });
  return { ...beside, name };
}

/** The variables that bring a backend to it. */
export function databaseVariables({
  host,
  port,
  user,
  password,
  name,
}: DatabaseAddress): Record<string, string> {
  return { DB_HOST: host, DB_PORT: String(port), DB_USER: user, DB_PASSWORD: password, DB_NAME: name };
}

async function withConnection(
  { host, port, user, password }: DatabaseAddress,
  work: (connection: Connection) => Promise<unknown>,
): Promise<void> {
  const connection = await createConnection({
    host,
    port,
    user,
    password,
    connectTimeout: CONNECT_DEADLINE_MS,
  });
  try {
    await work(connection);
  } finally {
    await connection.end();
  }
}

function isDenied(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && DENIED.includes(Number(error.errno));
}
