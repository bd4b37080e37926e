import { setTimeout as sleep } from 'node:timers/promises';

/** Far more than anything takes on a shared machine: a test that holds something to a time says so itself. */
const PATIENCE_MS = 20_000;
const EVERY_MS = 25;

/**
 * Tries until `attempt` no longer throws, for what runs with and without vitest.
 * @throws what the last attempt threw, when the time is over
 */
export async function until<Result>(
  attempt: () => Result | Promise<Result>,
  { withinMs, everyMs }: { withinMs: number; everyMs: number },
): Promise<Result> {
  const deadlineMs = performance.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (performance.now() >= deadlineMs) throw error;
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
