import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { JobRunner } from '../jobs/job-runner.js';
import { ErrorLogRetentionService } from './error-log-retention.service.js';

const EVERY_MS = 10 * 60_000;

@Injectable()
export class ErrorLogRetentionJob implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly retention: ErrorLogRetentionService,
  ) {}

  onApplicationBootstrap(): void {
    this.jobs.register({
      name: 'error-log-retention',
      everyMs: EVERY_MS,
      scope: 'cluster',
      run: (context) => this.retention.removeOld(context),
    });
  }
}
