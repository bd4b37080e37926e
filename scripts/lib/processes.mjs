import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 50;

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** A process that has ended and only waits to be noticed by its parent still answers to signal 0. */
function isZombie(pid) {
  try {
    return /^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** The command line of a process, or '' when it is gone: a number alone may since belong to a stranger. */
export function commandLineOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return commandLineWithoutProc(pid);
  }
}

function commandLineWithoutProc(pid) {
  if (process.platform === 'linux') return '';
  try {
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}

/** Ends exactly this process: asked first, killed when it has not ended within the grace. */
export async function endProcess(pid, graceMs) {
  signal(pid, 'SIGTERM');
  signal(pid, 'SIGCONT'); // a process that somebody stopped would not hear the first one
  const deadlineMs = performance.now() + graceMs;
  while (isAlive(pid) && performance.now() < deadlineMs) await sleep(POLL_MS);
  if (!isAlive(pid)) return;
  signal(pid, 'SIGKILL');
  while (isAlive(pid)) await sleep(POLL_MS);
}

/** Sends a signal to a process, or with a negative number to its group; one that is gone already is no error. */
export function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}
