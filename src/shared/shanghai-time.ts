const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** China has one time zone, and no summer time since 1991. */
const OFFSET_MS = 8 * HOUR_MS;

const DAY_PATTERN = /^\d{4}-\d\d-\d\d$/;

/** The calendar day there at this instant, for example "2026-01-27". */
export function shanghaiDay(instant: Date): string {
  return new Date(instant.getTime() + OFFSET_MS).toISOString().slice(0, 10);
}

/** The instant at which a day begins there; null when there is no such day. */
export function startOfShanghaiDay(day: string): Date | null {
  if (!DAY_PATTERN.test(day)) return null;
  const start = new Date(`${day}T00:00:00+08:00`);
  // JavaScript turns the 30th of February into a day of March.
  return !Number.isNaN(start.getTime()) && shanghaiDay(start) === day ? start : null;
}
