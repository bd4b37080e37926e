import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Tries until `attempt` no longer throws, for what runs with and without vitest.
 * @throws what the last attempt threw, when the time is over
 */
export async function until<Result>(
  attempt: () => Promise<Result>,
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
