import type { QueryRunner } from 'typeorm';
import { contractTableOptions, ForwardOnlyMigration } from './support.js';

export class CreateRefunds2026112300003 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS refunds (
        id VARCHAR(36) PRIMARY KEY COMMENT '退款ID (UUID)',
        out_refund_no VARCHAR(100) UNIQUE NOT NULL COMMENT '商户退款单号',
        refund_id VARCHAR(100) COMMENT '微信退款单号',
        out_trade_no VARCHAR(100) NOT NULL COMMENT '原订单号',
        transaction_id VARCHAR(100) COMMENT '微信交易号',
        refund_amount DECIMAL(10, 2) NOT NULL COMMENT '退款金额（元）',
        total_amount DECIMAL(10, 2) NOT NULL COMMENT '订单总金额（元）',
        status ENUM('pending', 'success', 'closed', 'abnormal') DEFAULT 'pending' COMMENT '退款状态',
        reason TEXT COMMENT '退款原因',
        refunded_at TIMESTAMP NULL COMMENT '退款完成时间',
        created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        INDEX idx_out_refund_no (out_refund_no),
        INDEX idx_out_trade_no (out_trade_no),
        INDEX idx_status (status)
      ) ${await contractTableOptions(queryRunner, '退款记录表')}`);
  }
}
