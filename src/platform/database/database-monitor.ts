import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import type { BeforeApplicationShutdown, OnApplicationBootstrap } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { withDeadline } from '../../shared/deadline.js';
import { AppConfig } from '../config/app-config.js';
import { AppLogger } from '../logging/app-logger.js';
import { DatabaseAvailability } from './database-availability.js';
import { isDatabaseUnavailable } from './database-error.js';
import { detectServerKind, probeWrite } from './database-probe.js';
import { runMigrations } from './migrator.js';

/** While the server answers, a look each second is enough: failures are reported by those who meet them. */
const WATCH_PAUSE_MS = 1_000;
/** While it is away, the first message after its return should not wait. */
const RETRY_PAUSE_MS = 250;
/** A failed migration is for a person to mend; asking again and again would only fill the log. */
const SET_UP_PAUSE_MS = 5_000;
const PING_DEADLINE_MS = 1_000;

/**
 * Brings the database up in the background and watches it, so that the process boots, listens and accepts
 * while MySQL is refused, stalled or gone.
 */
@Injectable()
export class DatabaseMonitor implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<void> = Promise.resolve();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly config: AppConfig,
    private readonly availability: DatabaseAvailability,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.watch();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async watch(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      const pauseMs = await this.look();
      await sleep(pauseMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  /** One look; answers how long to wait for the next. */
  private async look(): Promise<number> {
    try {
      if (!this.dataSource.isInitialized) await this.setUp();
      else if (this.availability.isAvailable) await this.ping();
      else await probeWrite(this.config.database);
      this.availability.reportSuccess();
      return WATCH_PAUSE_MS;
    } catch (error) {
      this.availability.reportFailure(error);
      if (isDatabaseUnavailable(error)) return RETRY_PAUSE_MS;
      this.logger.failed('database.set_up_failed', error);
      return SET_UP_PAUSE_MS;
    }
  }

  private async setUp(): Promise<void> {
    const serverKind = await detectServerKind(this.config.database);
    if (this.config.database.migrate)
      await runMigrations(this.config.database, { serverKind, logger: this.logger });
    // The dialect is known only now; TypeORM reads it from these shared options when it connects.
    this.dataSource.setOptions({ type: serverKind });
    await this.dataSource.initialize();
    this.logger.info('database.connected', { server: serverKind });
  }

  private async ping(): Promise<void> {
    await withDeadline('the database', PING_DEADLINE_MS, this.dataSource.query('SELECT 1'));
  }
}
