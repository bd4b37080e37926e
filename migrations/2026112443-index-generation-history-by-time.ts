import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** Listings show the newest first. */
export class IndexGenerationHistoryByTime2026112400043 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'generation_history', [
      { name: 'idx_generation_history_created_at', columns: ['created_at'] },
    ]);
  }
}
