import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** Customers who call name their phone number. */
export class IndexUsersByPhone2026112400032 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'users', [{ name: 'idx_users_phone', columns: ['phone'] }]);
  }
}
