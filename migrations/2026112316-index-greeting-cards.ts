import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

export class IndexGreetingCards2026112300016 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'greeting_cards', [{ name: 'idx_user_id', columns: ['user_id'] }]);
  }
}
