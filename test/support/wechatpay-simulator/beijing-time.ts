const BEIJING_OFFSET_MS = 8 * 3_600_000;
export const DAY_MS = 24 * 3_600_000;

function inBeijing(ms: number): string {
  return new Date(ms + BEIJING_OFFSET_MS).toISOString();
}

/** As the API writes a time: 2026-01-27T10:00:00+08:00. */
export function toRfc3339(ms: number): string {
  return `${inBeijing(ms).slice(0, 19)}+08:00`;
}

/** As a bill writes a time: 2026-01-27 10:00:00. */
export function toBillTime(ms: number): string {
  return inBeijing(ms).slice(0, 19).replace('T', ' ');
}

/** The Beijing day a moment belongs to: 2026-01-27. */
export function toBeijingDate(ms: number): string {
  return inBeijing(ms).slice(0, 10);
}

/** The digits of a Beijing day, as they stand inside ids: 20260127. */
export function toDateDigits(ms: number): string {
  return toBeijingDate(ms).replaceAll('-', '');
}

/** @returns when that Beijing day begins, or null when there is no such day */
export function startOfBeijingDayMs(date: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return null;
  const ms = Date.parse(`${date}T00:00:00+08:00`);
  return Number.isNaN(ms) || toBeijingDate(ms) !== date ? null : ms;
}
