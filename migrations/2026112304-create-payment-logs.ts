import type { QueryRunner } from 'typeorm';
import { contractTableOptions, ForwardOnlyMigration } from './support.js';

export class CreatePaymentLogs2026112300004 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS payment_logs (
        id VARCHAR(36) PRIMARY KEY COMMENT '日志ID (UUID)',
        type VARCHAR(50) NOT NULL COMMENT '日志类型',
        out_trade_no VARCHAR(100) COMMENT '商户订单号',
        out_refund_no VARCHAR(100) COMMENT '商户退款单号',
        event_type VARCHAR(50) COMMENT '事件类型',
        amount_total INT COMMENT '金额（分）',
        request_data JSON COMMENT '请求数据',
        response_data JSON COMMENT '响应数据',
        created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        INDEX idx_type (type),
        INDEX idx_out_trade_no (out_trade_no),
        INDEX idx_created_at (created_at)
      ) ${await contractTableOptions(queryRunner, '支付日志表')}`);
  }
}
