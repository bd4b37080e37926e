import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { followLines } from './log-follower.mjs';
import { toTerminalLine } from './log-lines.mjs';
import { LOGS_DIR, NODE_FLAGS, ROOT } from './paths.mjs';
import { commandLineOf, endProcess, signal } from './processes.mjs';
import { untilExit } from './shutdown.mjs';
import { say } from './terminal.mjs';

const MAIN = join(ROOT, 'dist', 'src', 'main.js');
export const APP_LOG = join(LOGS_DIR, 'app.log');
const LOG_BYTES_MAX = 10 * 1024 * 1024;
/** What the application may take to answer what it has accepted; it says itself when that is not enough. */
const STOP_GRACE_MS = 15_000;
const PROBE_TIMEOUT_MS = 1_000;
const PROBE_EVERY_MS = 100;
const LAST_LINES = 15;

/** Starts the compiled backend with its log in a file; warnings are shown here as well, with `verbose` everything. */
export function startApplication({ env, verbose }) {
  mkdirSync(LOGS_DIR, { recursive: true });
  if (existsSync(APP_LOG) && statSync(APP_LOG).size > LOG_BYTES_MAX) truncateSync(APP_LOG);
  const log = openSync(APP_LOG, 'a');
  const notShown = [];
  const stopFollowing = followLines(APP_LOG, (line) => {
    const shown = toTerminalLine(line, { verbose });
    if (shown !== undefined) say(shown);
    else notShown.push(toTerminalLine(line, { verbose: true }) ?? '');
    if (notShown.length > LAST_LINES) notShown.shift();
  });
  // A process group of its own: Ctrl-C in the terminal reaches it by way of this script, in order.
  const child = spawn('node', [...NODE_FLAGS, MAIN], {
    cwd: ROOT,
    env,
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  const finished = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signalName) => {
      stopFollowing();
      resolve({ code, signalName });
    });
  });
  const isRunning = () => child.exitCode === null && child.signalCode === null;
  const stop = async () => {
    if (child.pid && isRunning()) await endProcess(child.pid, STOP_GRACE_MS);
    await finished;
  };
  untilExit({ stop, kill: () => child.pid && isRunning() && signal(child.pid, 'SIGKILL') });
  return { pid: child.pid, finished, isRunning, notShownYet: () => notShown.join('\n') };
}

/** A start that was killed leaves the backend running, and with it the port: exactly that one is ended. */
export async function endLeftOverApplication(pid) {
  if (commandLineOf(pid).includes(MAIN)) await endProcess(pid, STOP_GRACE_MS);
}

/** @returns whether the address answered 200 before the time was over, or the application */
export async function answers(url, { isRunning, withinMs }) {
  const deadlineMs = performance.now() + withinMs;
  while (isRunning() && performance.now() < deadlineMs) {
    if (await isOk(url)) return true;
    await sleep(PROBE_EVERY_MS);
  }
  return false;
}

async function isOk(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    await answer.arrayBuffer(); // read to the end, or the connection stays open
    return answer.ok;
  } catch {
    return false; // not listening yet
  }
}
