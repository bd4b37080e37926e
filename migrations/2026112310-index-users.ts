import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

export class IndexUsers2026112300010 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'users', [
      { name: 'openid', columns: ['openid'], unique: true },
      { name: 'idx_openid', columns: ['openid'] },
      { name: 'idx_payment_status', columns: ['payment_status'] },
    ]);
  }
}
