import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCommand } from './command.mjs';
import { ROOT } from './paths.mjs';
import { say, secondsSince } from './terminal.mjs';

/** What can be known without running the application, as scripts of package.json, in the order people want to hear it. */
export const STATIC_CHECKS = ['format:check', 'lint', 'imports', 'unused', 'types'];

/** They read the same files and write nothing, so two go side by side; a build machine has two cores. */
const AT_ONCE_MAX = 2;

/**
 * Runs scripts of package.json; the first one that fails ends the others and shows what it said.
 * @returns the name of the one that failed, or undefined
 */
export async function runChecks(names, env) {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  const waiting = [...names];
  const running = new Set();
  let failure;
  const work = async () => {
    while (waiting.length > 0 && !failure) {
      const name = waiting.shift();
      const check = startCheck(scripts[name], env);
      running.add(check);
      const startedMs = performance.now();
      const isGood = (await check.finished) === 0;
      running.delete(check);
      if (failure) return;
      say(`${isGood ? 'ok    ' : 'FAILED'} ${name} (${secondsSince(startedMs)})`);
      if (isGood) continue;
      failure = { name, output: check.output() };
      for (const other of running) other.end('SIGTERM');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE_MAX }, work));
  if (failure) say(`\n${failure.output.trim()}\n`);
  return failure?.name;
}

function startCheck(commandLine, env) {
  const chunks = [];
  const { child, finished, end } = startCommand('sh', ['-c', commandLine], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => chunks.push(chunk));
  return { finished, end, output: () => Buffer.concat(chunks).toString('utf8') };
}
