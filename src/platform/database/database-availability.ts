import { Injectable } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { AppLogger } from '../logging/app-logger.js';
import { scrubError } from '../logging/scrub.js';
import { isDatabaseUnavailable } from './database-error.js';

export type AvailabilitySnapshot = {
  readonly state: 'connecting' | 'available' | 'away';
  readonly since: Date;
  readonly reason: string | null;
};

/**
 * Whether MySQL takes writes now: the circuit breaker of the edge. Anybody who meets an infrastructure
 * failure opens it; only the monitor, after a write went through, closes it.
 */
@Injectable()
export class DatabaseAvailability {
  private current: AvailabilitySnapshot;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {
    this.current = { state: 'connecting', since: clock.now(), reason: null };
  }

  get isAvailable(): boolean {
    return this.current.state === 'available';
  }

  snapshot(): AvailabilitySnapshot {
    return this.current;
  }

  /** Called each time the server becomes available, the first time included. */
  onAvailable(listener: () => void): void {
    this.listeners.push(listener);
  }

  /** Opens the breaker when `error` speaks of the server and not of the statement. */
  reportFailure(error: unknown): void {
    if (!isDatabaseUnavailable(error)) return;
    const { code, message } = scrubError(error);
    const reason = code ?? message;
    if (reason === this.current.reason) return;
    this.logger.warned('database.became_unavailable', { reason });
    if (this.isAvailable) this.current = { state: 'away', since: this.clock.now(), reason };
    else this.current = { ...this.current, reason };
  }

  /** For the monitor: a write went through. */
  reportSuccess(): void {
    if (this.isAvailable) return;
    const awayMs = this.clock.nowMs() - this.current.since.getTime();
    this.current = { state: 'available', since: this.clock.now(), reason: null };
    this.logger.info('database.became_available', { awayMs });
    for (const listener of this.listeners) listener();
  }
}
