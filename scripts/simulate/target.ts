import { join } from 'node:path';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { BackendApi } from './backend-api.ts';
import { Database } from './database.ts';
import type { DatabaseAddress } from './database.ts';
import { OrderBook } from './order-book.ts';
import { Trouble } from './trouble.ts';

export type Target = { readonly baseUrl: string; readonly secret: string; readonly db: DatabaseAddress };

type Environment = Readonly<Record<string, string | undefined>>;

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_IT = 'No backend is running: run `npm start` in another terminal, and this again once it serves.';
const HEALTH_DEADLINE_MS = 5_000;
/** Every backend takes its jobs' leases anew within seconds. */
const SIGN_OF_LIFE_SECONDS = 60;
const MYSQL_PORT = 3306;

/** Where the backend is: what the environment says, else what `npm start` left. Never anything but this machine. */
export async function findTarget(): Promise<Target> {
  const env = await readEnvironment();
  const { baseUrl, db } = env.BASE_URL ? givenTarget(env, env.BASE_URL) : await startedTarget();
  refuseForeign(hostOf(baseUrl), 'backend');
  refuseForeign(db.host, 'database');
  const secret = env.INTERNAL_API_SECRET;
  if (!secret) {
    throw new Trouble(
      'INTERNAL_API_SECRET is not set, neither in the environment nor in .env: give the one of the backend.',
    );
  }
  return { baseUrl: baseUrl.replace(/\/+$/, ''), secret, db };
}

/** Looks before it writes: a backend that answers, its secret, and the database it works on. @returns the server's version */
export async function checkTarget(target: Target, database: Database): Promise<string> {
  await checkHealth(target);
  const api = new BackendApi(target, new OrderBook());
  // A body without an order number is refused, so it leaves nothing behind; only the secret decides which way.
  const { status } = await api.send({ path: 'notify', body: {} });
  if (status === 401) throw new Trouble('INTERNAL_API_SECRET is not the secret of this backend.');
  if (status !== 400)
    throw new Trouble(`${target.baseUrl} does not look like this backend: it answered ${status}.`);
  return checkDatabase(target, database);
}

function givenTarget(env: Environment, baseUrl: string): Omit<Target, 'secret'> {
  const missing = ['DB_HOST', 'DB_USER', 'DB_NAME'].filter((name) => !env[name]);
  if (missing.length > 0) {
    throw new Trouble(`With BASE_URL, say which database that backend uses: set ${missing.join(', ')} too.`);
  }
  const port = Number(env.DB_PORT || MYSQL_PORT);
  if (!Number.isInteger(port)) throw new Trouble('DB_PORT must be a port number.');
  const db = {
    host: env.DB_HOST ?? '',
    port,
    user: env.DB_USER ?? '',
    password: env.DB_PASSWORD ?? '',
    name: env.DB_NAME ?? '',
  };
  return { baseUrl, db };
}

async function startedTarget(): Promise<Omit<Target, 'secret'>> {
  const library = (await load('runtime-file.mjs')) as {
    readRuntime(): { baseUrl: string; db: DatabaseAddress } | undefined;
  };
  const runtime = library.readRuntime();
  if (!runtime) throw new Trouble(START_IT);
  return runtime;
}

async function readEnvironment(): Promise<Environment> {
  const library = (await load('dot-env.mjs')) as { readEnvironment(file: string): Environment };
  return library.readEnvironment(join(ROOT, '.env'));
}

/** The start scripts are plain JavaScript without types, because they run before anything is installed. */
function load(file: string): Promise<unknown> {
  return import(new URL(`../lib/${file}`, import.meta.url).href);
}

function hostOf(baseUrl: string): string {
  if (!URL.canParse(baseUrl)) throw new Trouble('BASE_URL must be a URL such as http://localhost:8080.');
  return new URL(baseUrl).hostname;
}

function refuseForeign(host: string, what: 'backend' | 'database'): void {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase();
  if (bare === 'localhost' || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'))) return;
  throw new Trouble(
    `The ${what} is on ${host}, which is not this machine. The simulation writes made-up orders, payments and users: it runs against localhost only.`,
  );
}

async function checkHealth({ baseUrl }: Target): Promise<void> {
  const ask = (path: string) =>
    fetch(`${baseUrl}${path}`, { redirect: 'error', signal: AbortSignal.timeout(HEALTH_DEADLINE_MS) });
  const live = await ask('/health/live').catch(() => null);
  if (!live?.ok)
    throw new Trouble(process.env.BASE_URL ? `Nothing serves at ${baseUrl}. ${START_IT}` : START_IT);
  const ready = await ask('/health/ready').catch(() => null);
  if (!ready?.ok) {
    throw new Trouble(`The backend is not ready; ${baseUrl}/health/ready says why. Try again when it is.`);
  }
}

async function checkDatabase({ db }: Target, database: Database): Promise<string> {
  const place = `${db.name} on ${db.host}:${db.port}`;
  try {
    const [server] = await database.rows<{ version: string }>('SELECT VERSION() AS version');
    const [alive] = await database.rows<{ leases: number }>(
      'SELECT COUNT(*) AS leases FROM job_leases WHERE expires_at > UTC_TIMESTAMP(3) - INTERVAL ? SECOND',
      [SIGN_OF_LIFE_SECONDS],
    );
    if (!Number(alive?.leases)) {
      throw new Trouble(
        `No backend works on the database ${place}: either BASE_URL and DB_* are not of one backend, or its ROLE runs no jobs.`,
      );
    }
    return server?.version ?? 'unknown';
  } catch (error) {
    if (error instanceof Trouble) throw error;
    const reason = error instanceof Error ? error.message || error.name : String(error);
    throw new Trouble(`The database ${place} cannot be used: ${reason}`);
  }
}
