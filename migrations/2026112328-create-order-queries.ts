import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, orderNumberColumn, OWN_TABLE_OPTIONS } from './support.js';

/** Which orders WeChat Pay is to be asked about, and when. The discovery joins it with payment_orders by out_trade_no. */
export class CreateOrderQueries2026112300028 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS order_queries (
        ${await orderNumberColumn(queryRunner, 'out_trade_no')} PRIMARY KEY,
        asks INT UNSIGNED NOT NULL DEFAULT 0,
        unanswered INT UNSIGNED NOT NULL DEFAULT 0,
        asked_at DATETIME(3) NULL,
        due_at DATETIME(3) NOT NULL,
        last_answer VARCHAR(40) NULL,
        created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        INDEX idx_order_queries_due (due_at)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
