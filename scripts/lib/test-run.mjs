import { join } from 'node:path';
import { startCommand } from './command.mjs';
import { BIN_DIR } from './paths.mjs';

/** Printed by test/support/closing-line-reporter.ts at the end of every run. */
const CLOSING_LINE = /^Tests: (\d+) passed, (\d+) failed, (\d+) skipped$/m;
const TAIL_CHARS = 4_000;

/**
 * Runs Vitest with its output on the terminal.
 * @returns how many tests passed and failed; a run that fails without a failed test counts as one
 */
export async function runTests(args, env) {
  const color = process.stdout.isTTY ? { FORCE_COLOR: '1' } : {};
  const { child, finished } = startCommand(join(BIN_DIR, 'vitest'), ['run', ...args], {
    env: { ...env, ...color },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let tail = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text);
    tail = (tail + text).slice(-TAIL_CHARS);
  });
  const exitCode = await finished;
  const [passed, failed, skipped] = (CLOSING_LINE.exec(tail) ?? []).slice(1).map(Number);
  // Without a closing line the run broke off, whatever its exit code says.
  if (passed === undefined) return { passed: 0, failed: 1, skipped: 0 };
  return { passed, failed: exitCode === 0 ? failed : Math.max(failed, 1), skipped };
}
