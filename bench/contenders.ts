import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DatabaseAddress } from './database.ts';
import { findFreePort, LOOPBACK, NODE_FLAGS, say, Trouble, untilExit } from './library.ts';
import { startServer } from './server-process.ts';
import type { ServerProcess } from './server-process.ts';

export type Contender = 'bare Fastify' | 'group insert' | 'textbook peer' | 'ours' | 'ours, two replicas';

export const INTERNAL_SECRET = randomBytes(24).toString('hex');

const MAIN = fromHere('../dist/src/main.js');
const SOURCES = [fromHere('../src'), fromHere('../migrations')];

/** Logs and spools of one run; everything in it goes with the run. */
export function makeWorkDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'wxpay-bench-'));
  const remove = () => rmSync(dir, { recursive: true, force: true });
  untilExit({ stop: remove, kill: remove });
  return dir;
}

/** @throws {Trouble} when there is no built backend; says so when its sources changed after it was built */
export function checkBuild(): void {
  if (!existsSync(MAIN))
    throw new Trouble('There is no built backend to measure: run `npm run build` first.');
  const builtMs = statSync(MAIN).mtimeMs;
  const isOlder = SOURCES.flatMap((dir) =>
    readdirSync(dir, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
      .map((name) => join(dir, name)),
  ).some((file) => statSync(file).mtimeMs > builtMs);
  if (isOlder) say('NOTE: the sources are newer than the build that is measured; `npm run build` renews it.');
}

export function startBareFastify(workDir: string): Promise<ServerProcess> {
  return startServer({ name: 'bare Fastify', args: [fromHere('peer-fastify.ts')], env: {} }, workDir);
}

/** The limit for what is kept: the same answers, after an INSERT of all that came meanwhile. */
export function startGroupInsert(
  workDir: string,
  address: DatabaseAddress,
  database: string,
): Promise<ServerProcess> {
  const env = databaseEnv(address, database);
  return startServer({ name: 'group insert', args: [fromHere('peer-fastify.ts')], env }, workDir);
}

export function startTextbookPeer(
  workDir: string,
  address: DatabaseAddress,
  database: string,
): Promise<ServerProcess> {
  const env = { INTERNAL_API_SECRET: INTERNAL_SECRET, ...databaseEnv(address, database) };
  return startServer({ name: 'textbook peer', args: [fromHere('peer-textbook.ts')], env }, workDir);
}

/** The backend as it is deployed; it brings its own schema up to date before it is ready. */
export function startOurs(
  workDir: string,
  address: DatabaseAddress,
  database: string,
  spoolDir?: string,
): Promise<ServerProcess> {
  return startBackend(
    workDir,
    { name: 'ours', database, address, spoolDir },
    (report) => report.database?.state === 'available',
  );
}

/** The backend with MySQL refused: nothing listens on the port it is told. */
export async function startOursWithoutDatabase(workDir: string, spoolDir?: string): Promise<ServerProcess> {
  const address = { host: LOOPBACK, port: await findFreePort(LOOPBACK), user: 'nobody', password: '' };
  const isReady = (report: Readiness) =>
    report.spool?.state === 'open' && report.database?.state !== 'available';
  return startBackend(workDir, { name: 'ours without MySQL', database: 'away', address, spoolDir }, isReady);
}

/** What this benchmark reads of `/health/ready`. */
export type Readiness = {
  readonly database?: { readonly state?: string };
  readonly spool?: { readonly state?: string; readonly depth?: number };
};

export const READY_PATH = '/health/ready';

export function makeSpoolDir(workDir: string): string {
  return mkdtempSync(join(workDir, 'spool-'));
}

function startBackend(
  workDir: string,
  what: { name: string; address: DatabaseAddress; database: string; spoolDir: string | undefined },
  isReady: (report: Readiness) => boolean,
): Promise<ServerProcess> {
  const env = {
    INTERNAL_API_SECRET: INTERNAL_SECRET,
    LOG_LEVEL: 'info',
    SPOOL_DIR: what.spoolDir ?? makeSpoolDir(workDir),
    ...databaseEnv(what.address, what.database),
  };
  const ready = { path: READY_PATH, isReady: (body: Readiness | null) => isReady(body ?? {}) };
  return startServer({ name: what.name, args: [...NODE_FLAGS, MAIN], env, ready }, workDir);
}

export function databaseEnv(address: DatabaseAddress, database: string): Record<string, string> {
  return {
    DB_HOST: address.host,
    DB_PORT: String(address.port),
    DB_USER: address.user,
    DB_PASSWORD: address.password,
    DB_NAME: database,
  };
}

function fromHere(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}
