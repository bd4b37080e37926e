import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** The sweep of refunds looks at what changed lately: its cost follows that and not the table. */
export class IndexRefundsByChange2026112400011 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'refunds', [
      { name: 'idx_refunds_updated_at', columns: ['updated_at'], isHinted: true },
    ]);
  }
}
