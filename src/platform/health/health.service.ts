import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { withDeadline } from '../../shared/deadline.js';
import { DatabaseAvailability } from '../database/database-availability.js';
import { AppLogger } from '../logging/app-logger.js';
import { InboxRepository } from '../inbox/inbox.repository.js';
import { SpoolService } from '../spool/spool.service.js';
import type { ReadinessReport } from './health.types.js';

/** A probe that takes longer is a failed probe to most orchestrators. */
const LOOK_DEADLINE_MS = 1_000;

@Injectable()
export class HealthService implements BeforeApplicationShutdown {
  private stopping = false;

  constructor(
    private readonly availability: DatabaseAvailability,
    private readonly spool: SpoolService,
    private readonly inbox: InboxRepository,
    private readonly logger: AppLogger,
    private readonly clock: Clock,
  ) {}

  beforeApplicationShutdown(): void {
    this.stopping = true;
  }

  /**
   * Ready means: what is posted here becomes durable. With MySQL away and the spool sound the process is
   * degraded but ready, because sending the callers elsewhere would lose the messages it exists to keep.
   */
  async readiness(): Promise<ReadinessReport> {
    const [spool, inbox] = await Promise.all([this.lookAtSpool(), this.lookAtInbox()]);
    const { state, since, reason } = this.availability.snapshot();
    const sound = this.availability.isAvailable || spool.state === 'open';
    const troubled = spool.state !== 'open' || (spool.setAside ?? 0) > 0 || (spool.suspectFiles ?? 0) > 0;
    const degraded = !this.availability.isAvailable || troubled;
    return {
      status: this.stopping ? 'stopping' : !sound ? 'unavailable' : degraded ? 'degraded' : 'ready',
      database: { state, since: since.toISOString(), reason },
      spool,
      inbox,
      log: { linesDropped: this.logger.linesDropped },
    };
  }

  /** The spool of this process: another replica has its own. */
  async lookAtSpool(): Promise<ReadinessReport['spool']> {
    try {
      const stats = await withDeadline('the spool', LOOK_DEADLINE_MS, this.spool.stats());
      const { oldestReceivedAtMs, ...counts } = stats;
      const ageMs = oldestReceivedAtMs === null ? 0 : this.clock.nowMs() - oldestReceivedAtMs;
      return { state: 'open', ...counts, oldestAgeSeconds: Math.max(0, Math.round(ageMs / 1000)) };
    } catch {
      return { state: 'failing' }; // the service logged why
    }
  }

  private async lookAtInbox(): Promise<ReadinessReport['inbox']> {
    if (!this.availability.isAvailable) return null;
    try {
      return await withDeadline('the inbox', LOOK_DEADLINE_MS, this.inbox.backlog());
    } catch (error) {
      this.availability.reportFailure(error);
      return null;
    }
  }
}
