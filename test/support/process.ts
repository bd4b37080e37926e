import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { INTERNAL_SECRET } from './secrets.ts';
import { listenOnQuietPort } from './tcp-proxy.ts';
import { until } from './until.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const { NODE_FLAGS } = (await import(new URL('../../scripts/lib/paths.mjs', import.meta.url).href)) as {
  readonly NODE_FLAGS: readonly string[];
};
/** Long: on a machine that does much else, a start of two seconds takes half a minute. */
const LIVE_WITHIN_MS = 60_000;
const QUIET_WITHIN_MS = 60_000;

export type Answer = { status: number; headers: Headers; text: string; durationMs: number };

export type Ending = { code: number | null; signal: NodeJS.Signals | null };

/** One process of the backend as it runs in production, from the compiled files. */
export type BackendProcess = {
  readonly pid: number;
  readonly url: string;
  /** Resolves when it has ended, for whatever reason. */
  readonly ended: Promise<Ending>;
  /** Everything written to standard output and standard error so far. */
  output(): string;
  /** A POST as the cloud functions send it. Rejects when no answer came: the outcome is unknown then. */
  post(path: 'order-created' | 'notify', body: unknown): Promise<Answer>;
  fetch(path: string, init?: RequestInit): Promise<Answer>;
  /** From now on nobody takes what is written: the reader is gone, or is there and does not read. */
  stopReadingLog(how: 'gone' | 'silent'): void;
  whenReady(): Promise<void>;
  /** Waits until nothing is left in the spool and nothing is due in the inbox. */
  whenDrained(): Promise<void>;
  end(signal: NodeJS.Signals): Promise<Ending>;
};

const running = new Set<ChildProcess>();

export type ProcessOptions = {
  /** A free one when absent; a process that comes after another has its port, as behind a balancer. */
  readonly port?: number;
  /** Compiled files other than those of this checkout. */
  readonly compiled?: string;
  readonly onOutput?: (text: string) => void;
  /** An open file for standard output, instead of this process. */
  readonly log?: number;
};

/** Starts the backend on its port and waits until it is live; it inherits nothing of this process's environment. */
export async function startBackend(
  database: { readonly env: Readonly<Record<string, string>> },
  env: Record<string, string> & { SPOOL_DIR: string },
  options: ProcessOptions = {},
): Promise<BackendProcess> {
  const entry = join(options.compiled ?? (await compiledRoot()), 'src', 'main.js');
  const port = options.port ?? (await findQuietPort());
  const child = spawn(process.execPath, [...NODE_FLAGS, entry], {
    cwd: ROOT,
    env: {
      ...database.env,
      INTERNAL_API_SECRET: INTERNAL_SECRET,
      HOST: '127.0.0.1',
      PORT: String(port),
      ...env,
    },
    stdio: ['ignore', options.log ?? 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
      options.onOutput?.(text);
    });
  }
  const ended = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  const url = `http://127.0.0.1:${port}`;
  const backend: BackendProcess = {
    pid: child.pid ?? 0,
    url,
    ended,
    output: () => output,
    fetch: (path, init) => ask(url + path, init),
    post: (path, body) => ask(`${url}/api/payment/internal/${path}`, asCallersPost(body)),
    stopReadingLog: (how) => void (how === 'gone' ? child.stdout?.destroy() : child.stdout?.pause()),
    whenReady: () => whenHealthy(backend, ({ status }) => status === 'ready', LIVE_WITHIN_MS),
    whenDrained: () =>
      whenHealthy(backend, ({ spool, inbox }) => spool.depth === 0 && inbox?.pending === 0, QUIET_WITHIN_MS),
    async end(signal) {
      child.kill(signal);
      return ended;
    },
  };
  await untilLive(backend, child);
  return backend;
}

/** For afterEach: no process outlives its test, however the test ended. */
export async function killBackends(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, 'close');
      child.kill('SIGKILL');
      await closed;
    }),
  );
}

async function untilLive(backend: BackendProcess, child: ChildProcess): Promise<void> {
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await until(
    async () => {
      if (hasEnded()) return; // told below, without waiting any longer
      const { status } = await backend.fetch('/health/live');
      if (status !== 200) throw new Error(`/health/live answered ${status}`);
    },
    { withinMs: LIVE_WITHIN_MS, everyMs: 50 },
  );
  if (hasEnded()) throw new Error(`the backend ended at boot:\n${backend.output()}`);
}

type Readiness = {
  status: string;
  spool: { state: string; depth?: number };
  inbox: { pending: number } | null;
};

async function whenHealthy(
  backend: BackendProcess,
  isSo: (readiness: Readiness) => boolean,
  timeoutMs: number,
): Promise<void> {
  await until(
    async () => {
      const { text } = await backend.fetch('/health/ready');
      if (!isSo(JSON.parse(text) as Readiness)) throw new Error(`not yet: ${text}`);
    },
    { withinMs: timeoutMs, everyMs: 100 },
  );
}

async function ask(url: string, init?: RequestInit): Promise<Answer> {
  const startedMs = performance.now();
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    durationMs: performance.now() - startedMs,
  };
}

function asCallersPost(body: unknown): RequestInit {
  return {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Internal-Secret': INTERNAL_SECRET },
    body: JSON.stringify(body),
  };
}

export async function findQuietPort(): Promise<number> {
  const server = createServer();
  const port = await listenOnQuietPort(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

let compiled: Promise<string> | null = null;

/** One build for all processes of a test file, also when somebody edits the sources meanwhile. */
export function compiledRoot(): Promise<string> {
  compiled ??= findOrCompile();
  return compiled;
}

/** `npm test` compiles first. Run alone on changed sources, the tests compile for themselves: never is an old build tested. */
async function findOrCompile(): Promise<string> {
  const sources = ['src', 'migrations'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts'))
      .map((file) => join(folder, file)),
  );
  const dist = join(ROOT, 'dist');
  if (sources.every((file) => isNewer(join(dist, file.replace(/\.ts$/, '.js')), join(ROOT, file))))
    return dist;
  const hash = createHash('sha256');
  for (const file of [...sources, 'tsconfig.json'].sort()) hash.update(readFileSync(join(ROOT, file)));
  const built = join(ROOT, '.data', 'test-dist', hash.digest('hex').slice(0, 16));
  if (!existsSync(built)) await compileInto(built);
  return built;
}

function isNewer(compiled: string, source: string): boolean {
  return existsSync(compiled) && statSync(compiled).mtimeMs >= statSync(source).mtimeMs;
}

/** Two test files may compile at once: each into a folder of its own, and the first to finish gives its folder the name. */
async function compileInto(built: string): Promise<void> {
  const own = `${built}-${process.pid}`;
  mkdirSync(own, { recursive: true });
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  // Types are checked elsewhere; here only what runs matters.
  const options = [
    '-p',
    'tsconfig.json',
    '--noCheck',
    '--outDir',
    own,
    '--incremental',
    'false',
    '--tsBuildInfoFile',
    'null',
  ];
  await promisify(execFile)(process.execPath, [tsc, ...options], { cwd: ROOT });
  try {
    renameSync(own, built);
  } catch (error) {
    if (!existsSync(built)) throw error;
    rmSync(own, { recursive: true, force: true });
  }
}
