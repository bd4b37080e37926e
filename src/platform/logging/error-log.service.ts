import { Injectable } from '@nestjs/common';
import { DatabaseAvailability } from '../database/database-availability.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import { AppLogger } from './app-logger.js';
import type { LogFields } from './app-logger.js';
import { scrubError } from './scrub.js';

/** Errors come in storms; the table keeps the first of them and the structured log keeps all. */
const ROWS_PER_MINUTE_MAX = 60;
const MINUTE_MS = 60_000;

/** Records unexpected failures: always in the structured log, and in `error_logs` while MySQL is there. */
@Injectable()
export class ErrorLogService {
  private windowStartedMs = 0;
  private rowsInWindow = 0;

  constructor(
    private readonly logger: AppLogger,
    private readonly availability: DatabaseAvailability,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** Never throws and is not awaited: a failure to record must not become a failure of its own. */
  record(event: string, error: unknown, fields: LogFields = {}): void {
    this.logger.failed(event, error, fields);
    if (!this.availability.isAvailable || !this.takeTurn()) return;
    const { name, code, message } = scrubError(error);
    this.unitOfWork.reader
      .query(
        'INSERT INTO error_logs (id, `timestamp`, level, error_code, error_message, context) VALUES (UUID(), NOW(), ?, ?, ?, ?)',
        ['error', (code ?? name).slice(0, 50), message, JSON.stringify({ event, ...fields })],
      )
      .catch((cause: unknown) =>
        this.logger.warned('error_log.not_written', { reason: scrubError(cause).message }),
      );
  }

  private takeTurn(): boolean {
    const nowMs = performance.now();
    if (nowMs - this.windowStartedMs > MINUTE_MS) {
      this.windowStartedMs = nowMs;
      this.rowsInWindow = 0;
    }
    this.rowsInWindow += 1;
    return this.rowsInWindow <= ROWS_PER_MINUTE_MAX;
  }
}
