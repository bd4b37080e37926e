const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** China has one time zone, and no summer time. */
const BEIJING_OFFSET_MS = 8 * HOUR_MS;
/** WeChat Pay begins to make yesterday's bill at 9, and asks to fetch it after 10. */
const READY_HOUR = 10;

/** The Beijing days whose bill can be had at `nowMs`, the newest first, `count` of them. */
export function daysWithBill(nowMs: number, count: number): string[] {
  const newestMs = nowMs + BEIJING_OFFSET_MS - READY_HOUR * HOUR_MS - DAY_MS;
  return Array.from({ length: count }, (_, back) =>
    new Date(newestMs - back * DAY_MS).toISOString().slice(0, 10),
  );
}
