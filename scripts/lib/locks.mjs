import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DATA_DIR } from './paths.mjs';
import { commandLineOf } from './processes.mjs';
import { untilExit } from './shutdown.mjs';
import { say } from './terminal.mjs';

const POLL_MS = 250;
/** Between creating the file and writing the number into it there is a moment without one. */
const WRITTEN_WITHIN_MS = 2_000;
const SETUP_LOCK = 'setup.lock';

/** `npm start` and `npm test` side by side on a fresh clone: one sets up, the other waits and finds it done. */
export async function withSetupLock(work) {
  let release = tryLock(SETUP_LOCK);
  if (!release) say('Another start or test of this checkout is setting up; waiting for it …');
  while (!release) {
    await sleep(POLL_MS);
    release = tryLock(SETUP_LOCK);
  }
  try {
    return await work();
  } finally {
    release();
  }
}

/**
 * Takes a lock of this checkout for this process, for as long as it runs.
 * @returns a function that gives it back, or undefined when another living process has it
 */
export function tryLock(name) {
  const file = join(DATA_DIR, name);
  if (!create(file) && (isHeld(file) || !create(file))) return undefined;
  const unlock = () => rmSync(file, { force: true });
  const forget = untilExit({ stop: unlock, kill: unlock });
  return () => {
    forget();
    unlock();
  };
}

function create(file) {
  mkdirSync(DATA_DIR, { recursive: true });
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/** A holder that was killed leaves its file behind: its number is gone, or belongs to another program by now. */
function isHeld(file) {
  const { holder, ageMs } = readLock(file);
  const isBeingWritten = holder === '' && ageMs < WRITTEN_WITHIN_MS;
  if (isBeingWritten || isScript(Number(holder))) return true;
  rmSync(file, { force: true });
  return false;
}

const isScript = (pid) => pid > 0 && pid !== process.pid && /\bscripts\/\w+\.mjs\b/.test(commandLineOf(pid));

function readLock(file) {
  try {
    return { holder: readFileSync(file, 'utf8'), ageMs: Date.now() - statSync(file).mtimeMs };
  } catch (error) {
    if (error.code === 'ENOENT') return { holder: '', ageMs: 0 };
    throw error;
  }
}
