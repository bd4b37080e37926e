import type { QueryRunner } from 'typeorm';
import { findCollation, ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

/** Which product orders went to the workshop together: the file of a batch can be made again at any time. */
export class CreateProductOrderBatchItems2026112400045 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    const found = await findCollation(queryRunner, 'product_orders', 'id');
    if (!found) throw new Error('product_orders.id is not a text column of this database.');
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS product_order_batch_items (
        product_order_id VARCHAR(36) CHARACTER SET ${found.charset} COLLATE ${found.collation} NOT NULL PRIMARY KEY,
        batch_id VARCHAR(36) NOT NULL,
        exported_by VARCHAR(100) NOT NULL,
        exported_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        INDEX idx_product_order_batch_items_batch (batch_id)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
