import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

export class IndexGenerationHistory2026112300014 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'generation_history', [
      { name: 'idx_user_id', columns: ['user_id'] },
    ]);
  }
}
