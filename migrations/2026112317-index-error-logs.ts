import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

export class IndexErrorLogs2026112300017 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'error_logs', [
      { name: 'idx_timestamp', columns: ['timestamp'] },
      { name: 'idx_error_code', columns: ['error_code'] },
    ]);
  }
}
