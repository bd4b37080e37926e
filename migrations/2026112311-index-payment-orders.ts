import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/**
 * The contract's indexes, and one of ours: the sweep reads recently changed orders of one status.
 * A foreign key that an existing table lacks is not added: it would refuse the callers' rescue rows, whose user may be unknown.
 */
export class IndexPaymentOrders2026112300011 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'payment_orders', [
      { name: 'out_trade_no', columns: ['out_trade_no'], unique: true },
      { name: 'idx_user_id', columns: ['user_id'] },
      { name: 'idx_out_trade_no', columns: ['out_trade_no'] },
      { name: 'idx_transaction_id', columns: ['transaction_id'] },
      { name: 'idx_status', columns: ['status'], isHinted: true },
      { name: 'idx_trade_type', columns: ['trade_type'] },
      { name: 'idx_payment_orders_status_updated', columns: ['status', 'updated_at'], isHinted: true },
    ]);
  }
}
