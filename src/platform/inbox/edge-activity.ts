import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Between two orders of a busy shop, or two batches out of a spool. */
const BUSY_FOR_MS = 200;
/**
 * Meanwhile, work that can wait rests so many times as long as it took: long enough for some messages to come together, and never
 * so long that a backlog would not shrink beside a shop that is busy all day.
 */
const REST_SHARE = 4;
const REST_MS_MIN = 150;
const REST_MS_MAX = 600;

/**
 * Whoever orders or pays at this moment goes first, and so does what an outage kept from the database: it says that the database
 * is back, and that everybody comes at once. Whatever can wait rests in between, and takes more at a time then.
 */
@Injectable()
export class EdgeActivity {
  private notedAtMs = -Infinity;

  /** Somebody is being served. */
  note(): void {
    this.notedAtMs = performance.now();
  }

  /** @returns how long work that took so many milliseconds should rest */
  restAfter(workedMs: number): number {
    return this.isBusy ? Math.min(Math.max(workedMs * REST_SHARE, REST_MS_MIN), REST_MS_MAX) : 0;
  }

  /** A rest that nobody needs any more is not begun. */
  async rest(restMs: number, stopping: AbortSignal): Promise<void> {
    if (restMs > 0 && this.isBusy)
      await sleep(restMs, undefined, { signal: stopping }).catch(() => undefined);
  }

  get isBusy(): boolean {
    return performance.now() - this.notedAtMs < BUSY_FOR_MS;
  }
}
