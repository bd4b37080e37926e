import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** Exports and statistics read ranges of time, one step after the other. */
export class IndexRefundsByTime2026112400041 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'refunds', [
      { name: 'idx_refunds_refunded_at', columns: ['refunded_at'] },
    ]);
  }
}
