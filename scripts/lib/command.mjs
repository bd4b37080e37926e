import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { delimiter, dirname, isAbsolute, join } from 'node:path';
import { ROOT } from './paths.mjs';
import { signal } from './processes.mjs';
import { untilExit } from './shutdown.mjs';
import { Trouble } from './terminal.mjs';

const TAIL_LINES = 25;

/**
 * Starts a command in a process group of its own, so that its children can be ended with it.
 * @returns the child and a promise of its exit code (128 + n when a signal ended it)
 */
export function startCommand(command, args, { env = process.env, cwd = ROOT, stdio }) {
  const child = spawn(command, args, { env, cwd, stdio, detached: true });
  const end = (name) =>
    child.pid && child.exitCode === null && child.signalCode === null && signal(-child.pid, name);
  const finished = new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signalName) => resolve(code ?? (signalName === 'SIGKILL' ? 137 : 143)));
  });
  const forget = untilExit({
    stop: async () => {
      end('SIGTERM');
      await finished;
    },
    kill: () => end('SIGKILL'),
  });
  finished.then(forget, forget);
  return { child, finished, end };
}

/** Runs a command to its end with everything it says in the log file; a failure shows the end of that. */
export async function runLogged(logFile, command, args, options = {}) {
  mkdirSync(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'w');
  try {
    const { finished } = startCommand(command, args, { ...options, stdio: ['ignore', log, log] });
    const exitCode = await finished;
    if (exitCode === 0) return;
    const told = lastLines(readFileSync(logFile, 'utf8'));
    const name = [command, ...args].join(' ');
    throw new Trouble(
      `${told}\n\n${name}\nfailed with exit code ${exitCode}; its whole output is in ${logFile}`,
    );
  } finally {
    closeSync(log);
  }
}

export function lastLines(text, count = TAIL_LINES) {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '' && !isNpmNoise(line))
    .slice(-count)
    .join('\n');
}

/** npm itself stays on the system's Node and warns about every package that wants a newer one; the scripts provide that. */
const isNpmNoise = (line) => /^npm (warn|notice)( EBADENGINE|$)/i.test(line);

/** The full path of a program, looked for on the PATH and in the folders given. */
export function findProgram(name, path = process.env.PATH ?? '', extraFolders = []) {
  const folders = [...path.split(delimiter).filter(isAbsolute), ...extraFolders];
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}

/** The environment in which `program` (a file) is the first of its name on the PATH, before those of `folders`. */
export function withFirstOnPath(folders, env = process.env) {
  return { ...env, PATH: [...folders, env.PATH ?? ''].join(delimiter) };
}

/** The environment without the programs of this checkout: what the machine itself offers. */
export function withoutFolder(folder, env = process.env) {
  const path = (env.PATH ?? '').split(delimiter).filter((entry) => dirname(join(entry, 'x')) !== folder);
  return { ...env, PATH: path.join(delimiter) };
}
