import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { compile, endProcess, findFreePort, LOGS_DIR, MAIN, NODE_FLAGS, ROOT } from './library.ts';
import type { LabParts } from './lab-parts.ts';
import { Trouble } from './trouble.ts';

const HOST = '127.0.0.1';
const READY_WITHIN_MS = 60_000;
const READY_POLL_MS = 100;
const PROBE_TIMEOUT_MS = 2_000;
/** What the backend may take to answer what it has accepted; it cuts itself off before. */
const STOP_GRACE_MS = 15_000;
const LAST_LINES = 15;
/** Where the backend of this lab logs, as one would type it. */
export function logOf(labName: string): string {
  return relative(ROOT, logFileOf(labName));
}

/**
 * Starts the compiled backend on a free port, with the given variables and nothing of this process's own settings.
 * @returns its address, once it is ready @throws Trouble with the end of its log when it never is
 */
export async function startBackendProcess(
  env: Readonly<Record<string, string>>,
  { parts, labName }: { parts: LabParts; labName: string },
): Promise<string> {
  await compile(process.env);
  const port = await findFreePort(HOST);
  mkdirSync(LOGS_DIR, { recursive: true });
  const log = openSync(logFileOf(labName), 'w');
  // A process group of its own: Ctrl-C in the terminal reaches it by way of this script, in order.
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN], {
    cwd: ROOT,
    env: {
      PATH: process.env.PATH ?? '',
      NODE_ENV: 'production',
      HOST,
      PORT: String(port),
      ...env,
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
  parts.add({
    stop: async () => {
      if (child.pid !== undefined && isRunning()) await endProcess(child.pid, STOP_GRACE_MS);
      await exited;
    },
    kill: () => void (isRunning() && child.kill('SIGKILL')),
  });
  const baseUrl = `http://${HOST}:${port}`;
  if (await becomesReady(baseUrl, isRunning)) return baseUrl;
  const lines = readFileSync(logFileOf(labName), 'utf8').trim().split('\n').slice(-LAST_LINES).join('\n');
  throw new Trouble(
    `${lines}\n\nThe backend of the WeChat Pay stories did not become ready; its log is ${logOf(labName)}`,
  );
}

function logFileOf(labName: string): string {
  return join(LOGS_DIR, `simulate-${labName}.log`);
}

async function becomesReady(baseUrl: string, isRunning: () => boolean): Promise<boolean> {
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (isRunning() && performance.now() < deadlineMs) {
    if ((await readStatus(`${baseUrl}/health/ready`)) === 'ready') return true;
    await sleep(READY_POLL_MS);
  }
  return false;
}

async function readStatus(url: string): Promise<string | undefined> {
  try {
    const answer = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return ((await answer.json()) as { status?: string }).status;
  } catch {
    return undefined; // not listening yet
  }
}
