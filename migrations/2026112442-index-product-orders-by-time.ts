import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** Exports and listings read by time. */
export class IndexProductOrdersByTime2026112400042 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'product_orders', [
      { name: 'idx_product_orders_created_at', columns: ['created_at'] },
    ]);
  }
}
