import { Injectable } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { AppConfig } from '../config/app-config.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { JobLeasesRepository } from '../jobs/job-leases.repository.js';
import type { JobContext } from '../jobs/job-runner.js';
import { AppLogger } from './app-logger.js';

const DAY_MS = 86_400_000;
/** Rows of one statement: its locks are short. */
const ROWS_PER_DELETE = 1_000;
/** Statements of one tick; more than a replica can write meanwhile. */
const DELETES_PER_TICK = 20;

/** Error logs are for looking into what happened lately. Older ones go, in small steps. */
@Injectable()
export class ErrorLogRetentionService {
  constructor(
    private readonly leases: JobLeasesRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  async removeOld({ lease, stopping }: JobContext): Promise<void> {
    const before = new Date(this.clock.nowMs() - this.config.errorLogDays * DAY_MS);
    let removed = 0;
    for (let step = 0; step < DELETES_PER_TICK && !stopping.aborted; step += 1) {
      const count = await this.unitOfWork.run(async (tx) => {
        if (lease && !(await this.leases.lockHeld(tx, lease))) return 0;
        const result = await tx.query<{ affectedRows: number }>(
          'DELETE FROM error_logs WHERE `timestamp` < ? ORDER BY `timestamp` LIMIT ?',
          [before, ROWS_PER_DELETE],
        );
        return result.affectedRows;
      });
      removed += count;
      if (count < ROWS_PER_DELETE) break;
    }
    if (removed > 0) this.logger.info('error_log.removed_old', { removed });
  }
}
