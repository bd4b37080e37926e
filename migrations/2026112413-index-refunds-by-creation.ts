import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** The list of refunds shows the newest first, and costs the same on its last page as on its first. */
export class IndexRefundsByCreation2026112400013 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'refunds', [
      { name: 'idx_refunds_created_at', columns: ['created_at', 'id'] },
    ]);
  }
}
