const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** Most customers pay at once: the first question comes soon, the others further and further apart. */
const ASK_AT_AGE_MS = [
  45 * SECOND_MS,
  5 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  60 * MINUTE_MS,
] as const;

/** A prepay can be paid for two hours. */
export const PREPAY_LIFE_MS = 2 * 60 * MINUTE_MS;

const UNKNOWN_PAUSE_MS_MIN = 15 * SECOND_MS;
const UNKNOWN_PAUSE_MS_MAX = 10 * MINUTE_MS;

/** How long after now an order is asked about for the first time: one that is found late has waited long enough. */
export function pauseUntilFirstAskMs(ageMs: number): number {
  return Math.max(0, ASK_AT_AGE_MS[0] - ageMs);
}

/** How long after now an unpaid order is asked about again: at the next age of the schedule, at the latest when its time is over. */
export function pauseUntilNextAskMs(order: { readonly ageMs: number; readonly deadlineMs: number }): number {
  const nextAgeMs = ASK_AT_AGE_MS.find((ageMs) => ageMs > order.ageMs) ?? order.deadlineMs;
  return Math.max(Math.min(nextAgeMs, order.deadlineMs) - order.ageMs, SECOND_MS);
}

/** How long to wait when no answer came: WeChat Pay may be down for all orders at once. */
export function pauseAfterUnknownMs(asks: number): number {
  return Math.min(UNKNOWN_PAUSE_MS_MIN * 2 ** Math.min(asks, 10), UNKNOWN_PAUSE_MS_MAX);
}
