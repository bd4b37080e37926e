const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;

/** A receiver that is away longer than this is an operator's business. */
export const DELIVERY_LIFE_MS = 24 * HOUR_MS;

/** A restart of the receiver is over after the first pauses; a night's outage costs it one try an hour for each notice. */
const PAUSE_MS_MIN = 5 * SECOND_MS;
const PAUSE_MS_MAX = HOUR_MS;
const DOUBLINGS_MAX = 12;
/** Notices that failed together must not all come back together: up to this part is taken off the pause. */
const JITTER_PART = 0.5;

export type FailedTry = {
  /** Tries that failed before this one. */
  readonly attempts: number;
  /** How long the notice has been wanted. */
  readonly ageMs: number;
  /** What the receiver itself asked for. */
  readonly pauseMs?: number;
};

/**
 * How long after a failed try the next one comes: twice as long each time, less a random part. The last try is at the end
 * of {@link DELIVERY_LIFE_MS}; null when that was this one. `random` is from 0 up to 1.
 */
export function pauseUntilNextTryMs(failed: FailedTry, random: number): number | null {
  const lifeLeftMs = DELIVERY_LIFE_MS - failed.ageMs;
  if (lifeLeftMs <= 0) return null;
  const fullMs = Math.min(PAUSE_MS_MIN * 2 ** Math.min(failed.attempts, DOUBLINGS_MAX), PAUSE_MS_MAX);
  const pauseMs = Math.max(fullMs * (1 - JITTER_PART * random), failed.pauseMs ?? 0);
  return Math.round(Math.min(pauseMs, lifeLeftMs));
}
