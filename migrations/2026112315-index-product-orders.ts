import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

export class IndexProductOrders2026112300015 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'product_orders', [
      { name: 'idx_user_id', columns: ['user_id'] },
      { name: 'idx_status', columns: ['status'] },
    ]);
  }
}
