import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { endProcess, findFreePort, LOOPBACK, Trouble, untilExit } from './library.ts';

export type ServerProgram = {
  /** For its log file and for messages. */
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A path, and what its answer must be for the server to be ready; otherwise any answer will do. */
  readonly ready?: { readonly path: string; isReady(body: object | null): boolean };
};

export type ServerProcess = {
  readonly port: number;
  /** From the start of the process until it was ready, as often as that was looked at. */
  readonly bootMs: number;
  /** Undefined where there is no /proc. */
  residentMb(): number | undefined;
  stop(): Promise<void>;
};

const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 25;
const PROBE_TIMEOUT_MS = 2_000;
const STOP_GRACE_MS = 20_000;
const LAST_LINES = 15;

/** Starts one server in a process of its own, its output in a file; resolves when it is ready to be measured. */
export async function startServer(program: ServerProgram, logDir: string): Promise<ServerProcess> {
  const port = await findFreePort(LOOPBACK);
  const logFile = join(logDir, `${program.name.replaceAll(/\W+/g, '-')}.log`);
  const log = openSync(logFile, 'w');
  // A process group of its own: Ctrl-C in the terminal reaches it by way of this script, in order.
  const startedMs = performance.now();
  const child = spawn(process.execPath, program.args, {
    cwd: logDir,
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      HOST: LOOPBACK,
      PORT: String(port),
      ...program.env,
    },
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const exited = new Promise<void>((done) => {
    child.once('exit', () => done());
    child.once('error', () => done()); // it could not be run at all: told below, where it is not ready
  });
  const isRunning = () => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  const stop = async (): Promise<void> => {
    forget();
    if (child.pid !== undefined && isRunning()) await endProcess(child.pid, STOP_GRACE_MS);
    await exited;
  };
  const forget = untilExit({ stop, kill: () => void (isRunning() && child.kill('SIGKILL')) });
  if (!(await becomesReady(program, port, isRunning))) {
    await stop();
    const lines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-LAST_LINES).join('\n');
    throw new Trouble(`${lines}\n\n${program.name} did not become ready.`);
  }
  return {
    port,
    bootMs: performance.now() - startedMs,
    residentMb: () => residentMb(program.name, child.pid),
    stop,
  };
}

async function becomesReady(
  { ready }: ServerProgram,
  port: number,
  isRunning: () => boolean,
): Promise<boolean> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (isRunning() && performance.now() < deadlineMs) {
    const body = await getJson<object>(`http://${LOOPBACK}:${port}${ready?.path ?? '/'}`);
    if (body !== undefined && (!ready || ready.isReady(body))) return true;
    await sleep(READY_POLL_MS);
  }
  return false;
}

/** The body of whatever answers there, null when it is no JSON, undefined when nothing answers yet. */
export async function getJson<Body>(url: string): Promise<Body | null | undefined> {
  try {
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    const text = await answer.text();
    return text.startsWith('{') ? (JSON.parse(text) as Body) : null;
  } catch {
    return undefined;
  }
}

function residentMb(name: string, pid: number | undefined): number | undefined {
  if (process.platform !== 'linux') return undefined;
  const status = `/proc/${pid}/status`;
  const text = existsSync(status) ? readFileSync(status, 'utf8') : '';
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(text)?.[1];
  if (!kilobytes) throw new Trouble(`${name} ended during its measurement.`);
  return Number(kilobytes) / 1024;
}
