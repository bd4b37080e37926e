import type { Clock } from '../shared/clock.js';

const WINDOW_MS = 1000;

/** Lets at most `perSecond` calls start within any second, by giving each its time to start. */
export class StartRate {
  /** The start times of the last `perSecond` calls; the oldest stands at `next`. */
  private readonly startsMs: number[];
  private next = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: { readonly perSecond: number; readonly waitMsMax: number },
  ) {
    this.startsMs = new Array<number>(limits.perSecond).fill(-Infinity);
  }

  /** How long to wait before the call may start, its place being taken; null when that is longer than `waitMsMax`. */
  reserve(waitMsMax: number): number | null {
    const nowMs = this.clock.nowMs();
    let startMs = Math.max(nowMs, (this.startsMs[this.next] ?? -Infinity) + WINDOW_MS);
    // Further ahead than any place given out: the wall clock was set back, and the old times mean nothing any more.
    if (startMs - nowMs > WINDOW_MS + this.limits.waitMsMax) {
      this.startsMs.fill(-Infinity);
      startMs = nowMs;
    }
    if (startMs - nowMs > Math.min(waitMsMax, this.limits.waitMsMax)) return null;
    this.startsMs[this.next] = startMs;
    this.next = (this.next + 1) % this.limits.perSecond;
    return startMs - nowMs;
  }
}

/**
 * Lets at most `perSecond` calls fail within any second. Calls under way count as failing until they have ended,
 * so that many at once cannot all fail together.
 */
export class FailureRate {
  private underWay = 0;
  private failuresMs: number[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly perSecond: number,
  ) {}

  /** Whether a call may start; who is admitted calls `leave` when it has ended. */
  enter(): boolean {
    const nowMs = this.clock.nowMs();
    this.failuresMs = this.failuresMs.filter((atMs) => Math.abs(nowMs - atMs) < WINDOW_MS);
    if (this.underWay + this.failuresMs.length >= this.perSecond) return false;
    this.underWay += 1;
    return true;
  }

  leave(hasFailed: boolean): void {
    this.underWay -= 1;
    if (hasFailed) this.failuresMs.push(this.clock.nowMs());
  }
}
