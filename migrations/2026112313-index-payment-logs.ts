import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

export class IndexPaymentLogs2026112300013 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'payment_logs', [
      { name: 'idx_type', columns: ['type'] },
      { name: 'idx_out_trade_no', columns: ['out_trade_no'] },
      { name: 'idx_created_at', columns: ['created_at'] },
    ]);
  }
}
