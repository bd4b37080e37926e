import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';

/** Between two orders of a busy shop, or two batches out of a spool. */
const BUSY_FOR_MS = 200;
/** Meanwhile, work that can wait rests so many times as long as it took, and long enough for some messages to come together. */
const REST_SHARE = 4;
const TOGETHER_MS = 150;
const REST_MS_MAX = 600;
/**
 * It rests the less the longer it has waited, and after so long not at all: it is other people's orders, and a shop that is
 * busy all day must not have a backlog that only grows. Longer than a spool needs to be emptied after an outage.
 */
const WAITED_MS_MAX = 20_000;

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

  /** @returns how long work should rest that took so long, for something that had waited so long; `isMore` when more waits */
  restAfter({ workedMs, waitedMs, isMore }: { workedMs: number; waitedMs: number; isMore: boolean }): number {
    if (!this.goesFirst(waitedMs)) return 0;
    const share = REST_SHARE * (1 - (waitedMs / WAITED_MS_MAX) ** 2);
    return Math.max(Math.min(workedMs * share, REST_MS_MAX), isMore ? 0 : TOGETHER_MS);
  }

  /** True when somebody is being served who goes before what has waited so long. */
  goesFirst(waitedMs: number): boolean {
    return this.isBusy && waitedMs < WAITED_MS_MAX;
  }

  /** A rest that nobody needs any more is not begun. */
  async rest(restMs: number, stopping: AbortSignal): Promise<void> {
    if (restMs > 0 && this.isBusy)
      await sleep(restMs, undefined, { signal: stopping }).catch(() => undefined);
  }

  private get isBusy(): boolean {
    return performance.now() - this.notedAtMs < BUSY_FOR_MS;
  }
}
