import type { QueryRunner } from 'typeorm';
import { findCollation, ForwardOnlyMigration, orderNumberColumn, OWN_TABLE_OPTIONS } from './support.js';

/**
 * What this backend knows for certain of each refund, and when it is to be sent or asked about. `refunds` is joined by
 * out_refund_no, and others write that table in units and states of their own.
 */
export class CreateRefundSettlements2026112400010 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    const found = await findCollation(queryRunner, 'refunds', 'out_refund_no');
    if (!found) throw new Error('refunds.out_refund_no is not a text column of this database.');
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS refund_settlements (
        out_refund_no VARCHAR(100) CHARACTER SET ${found.charset} COLLATE ${found.collation} NOT NULL PRIMARY KEY,
        ${await orderNumberColumn(queryRunner, 'out_trade_no')},
        origin ENUM('operator', 'foreign') NOT NULL,
        channel ENUM('wechatpay', 'cloud-function') NULL,
        transaction_id VARCHAR(100) NULL,
        refund_fen BIGINT UNSIGNED NULL,
        order_fen BIGINT UNSIGNED NULL,
        reason VARCHAR(200) NULL,
        idempotency_key VARCHAR(64) NULL,
        requested_by VARCHAR(100) NULL,
        status ENUM('pending', 'success', 'closed', 'abnormal') NOT NULL DEFAULT 'pending',
        stage ENUM('requested', 'sent', 'accepted', 'disproven') NOT NULL,
        sends INT UNSIGNED NOT NULL DEFAULT 0,
        sent_at DATETIME(3) NULL,
        asks INT UNSIGNED NOT NULL DEFAULT 0,
        unanswered INT UNSIGNED NOT NULL DEFAULT 0,
        asked_at DATETIME(3) NULL,
        due_at DATETIME(3) NULL,
        last_answer VARCHAR(200) NULL,
        created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        UNIQUE INDEX uq_refund_settlements_idempotency_key (idempotency_key),
        INDEX idx_refund_settlements_due (due_at),
        INDEX idx_refund_settlements_order (out_trade_no)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
