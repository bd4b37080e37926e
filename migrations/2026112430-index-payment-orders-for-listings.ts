import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** The listings of operators read one index from a place on: a deep page costs what the first one does. */
export class IndexPaymentOrdersForListings2026112400030 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'payment_orders', [
      { name: 'idx_payment_orders_created', columns: ['created_at'], isHinted: true },
      { name: 'idx_payment_orders_status_created', columns: ['status', 'created_at'], isHinted: true },
      { name: 'idx_payment_orders_user_created', columns: ['user_id', 'created_at'], isHinted: true },
      { name: 'idx_payment_orders_paid', columns: ['paid_at'], isHinted: true },
    ]);
  }
}
