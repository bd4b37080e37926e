import type { Clock } from '../shared/clock.js';

export type BreakerState = 'closed' | 'open' | 'half_open';

export type BreakerLimits = {
  /** This many failures in a row open the breaker. */
  readonly failuresMax: number;
  /** How long it stays open before one call may probe. */
  readonly openMs: number;
};

/**
 * Keeps calls away from something that does not answer, so that they fail at once instead of each waiting for its deadline.
 * Whoever was admitted reports exactly once, with `succeeded` or `failed`.
 */
export class CircuitBreaker {
  private current: BreakerState = 'closed';
  private failures = 0;
  private openedAtMs = 0;

  constructor(
    private readonly clock: Clock,
    private readonly limits: BreakerLimits,
    private readonly onChange: (state: BreakerState) => void = () => undefined,
  ) {}

  get state(): BreakerState {
    return this.current;
  }

  /** Whether a call may be made. After the pause one caller is admitted as the probe; the others wait for its report. */
  admits(): boolean {
    if (this.current === 'closed') return true;
    if (this.current === 'half_open' || this.remainingMs() > 0) return false;
    this.change('half_open');
    return true;
  }

  /** How long calls are refused from now on; 0 when the next one would be admitted, or a probe is under way. */
  remainingMs(): number {
    if (this.current !== 'open') return 0;
    const elapsedMs = this.clock.nowMs() - this.openedAtMs;
    // A wall clock may be set back: then the pause counts as over, rather than lasting for hours.
    return elapsedMs < 0 ? 0 : Math.max(0, this.limits.openMs - elapsedMs);
  }

  succeeded(): void {
    this.failures = 0;
    if (this.current !== 'closed') this.change('closed');
  }

  failed(): void {
    this.failures += 1;
    if (this.current === 'closed' && this.failures < this.limits.failuresMax) return;
    this.openedAtMs = this.clock.nowMs();
    if (this.current !== 'open') this.change('open');
  }

  private change(state: BreakerState): void {
    this.current = state;
    this.onChange(state);
  }
}
