const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
/** China has one time zone, and no summer time since 1991. */
const OFFSET_MS = 8 * HOUR_MS;

const DAY_PATTERN = /^\d{4}-\d\d-\d\d$/;
/** Databases write a year with four digits, also that of the day after; a TIMESTAMP has none before 1970. */
const FIRST_DAY = '1970-01-01';
const LAST_DAY = '9998-12-31';

/** The calendar day there at this instant, for example "2026-01-27". */
export function shanghaiDay(instant: Date): string {
  return new Date(instant.getTime() + OFFSET_MS).toISOString().slice(0, 10);
}

/** The instant at which a day begins there; null when there is no such day of the years 1970 to 9998. */
export function startOfShanghaiDay(day: string): Date | null {
  if (!DAY_PATTERN.test(day) || day < FIRST_DAY || day > LAST_DAY) return null;
  const start = new Date(`${day}T00:00:00+08:00`);
  // JavaScript turns the 30th of February into a day of March.
  return !Number.isNaN(start.getTime()) && shanghaiDay(start) === day ? start : null;
}
