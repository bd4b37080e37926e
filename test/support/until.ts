import { setTimeout as sleep } from 'node:timers/promises';
import { withDeadline } from '../../src/shared/deadline.ts';

/** Far more than anything takes on a shared machine: a test that holds something to a time says so itself. */
const PATIENCE_MS = 20_000;
const EVERY_MS = 50;

/**
 * Tries until `attempt` no longer throws, for what runs with and without vitest.
 * @throws when the time is over, what the last attempt threw, or a DeadlineExceeded when that one never ended
 */
export async function until<Result>(
  attempt: () => Result | Promise<Result>,
  { withinMs, everyMs }: { withinMs: number; everyMs: number },
): Promise<Result> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await withDeadline('what is awaited', deadlineMs - performance.now(), (async () => attempt())());
    } catch (error) {
      if (performance.now() + everyMs >= deadlineMs) throw error;
      await sleep(everyMs);
    }
  }
}

/** For what comes by itself, however late: tries until `attempt` no longer throws, and throws what it threw in the end. */
export function eventually<Result>(
  attempt: () => Result | Promise<Result>,
  everyMs = EVERY_MS,
): Promise<Result> {
  return until(attempt, { withinMs: PATIENCE_MS, everyMs });
}
