import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

export class IndexRefunds2026112300012 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'refunds', [
      { name: 'out_refund_no', columns: ['out_refund_no'], unique: true },
      { name: 'idx_out_refund_no', columns: ['out_refund_no'] },
      { name: 'idx_out_trade_no', columns: ['out_trade_no'] },
      { name: 'idx_status', columns: ['status'] },
    ]);
  }
}
