const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;

/** Money on a balance arrives within five minutes, on a bank card within three days: asked often at first, then rarely. */
const PROCESSING_PAUSE_MINUTES = [1, 1, 1, 1, 1, 5, 10, 20, 30] as const;
const PROCESSING_PAUSE_MINUTES_MAX = 60;
/** How it ends is in the hands of people at a bank. */
const ABNORMAL_PAUSE_MINUTES = 30;

const UNKNOWN_PAUSE_MS_MIN = 2 * SECOND_MS;
/** A refund whose fate is unknown is settled within a minute of WeChat Pay's return. */
const UNKNOWN_PAUSE_MS_MAX = 30 * SECOND_MS;

/** WeChat Pay refuses two refunds of one order within a minute. */
export const ORDER_GAP_SECONDS = 61;

/** How long to wait before an accepted refund is asked about again, after `asks` questions. */
export function pauseWhileProcessingMs(asks: number): number {
  return (PROCESSING_PAUSE_MINUTES[asks] ?? PROCESSING_PAUSE_MINUTES_MAX) * MINUTE_MS;
}

export function pauseWhileAbnormalMs(): number {
  return ABNORMAL_PAUSE_MINUTES * MINUTE_MS;
}

/** How long to wait when no answer came, after `unanswered` attempts in a row. */
export function pauseAfterUnknownMs(unanswered: number): number {
  return Math.min(UNKNOWN_PAUSE_MS_MIN * 2 ** Math.min(unanswered, 10), UNKNOWN_PAUSE_MS_MAX);
}
