import type { QueryRunner } from 'typeorm';
import { contractTableOptions, findCollation, ForwardOnlyMigration } from './support.js';

export class CreatePaymentOrders2026112300002 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    // A foreign key needs the collation of the column it points to, which an older users table may have chosen.
    const userId = await findCollation(queryRunner, 'users', 'id');
    const userIdCollation =
      userId && userId.charset !== 'utf8mb4'
        ? ` CHARACTER SET ${userId.charset} COLLATE ${userId.collation}`
        : '';
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS payment_orders (
        id VARCHAR(36) PRIMARY KEY COMMENT '订单ID (UUID)',
        user_id VARCHAR(36)${userIdCollation} NOT NULL COMMENT '用户ID',
        generation_id VARCHAR(36) NOT NULL COMMENT '关联的生成记录ID',
        out_trade_no VARCHAR(100) UNIQUE NOT NULL COMMENT '商户订单号',
        transaction_id VARCHAR(100) COMMENT '微信交易号',
        amount DECIMAL(10, 2) NOT NULL COMMENT '订单金额（元）',
        package_type ENUM('free', 'basic', 'premium') NOT NULL COMMENT '套餐类型',
        payment_method VARCHAR(50) DEFAULT 'wechat' COMMENT '支付方式',
        trade_type VARCHAR(20) DEFAULT 'JSAPI' COMMENT '支付类型',
        status ENUM('pending', 'paid', 'failed', 'refunded') DEFAULT 'pending' COMMENT '订单状态',
        paid_at TIMESTAMP NULL COMMENT '支付完成时间',
        refund_reason TEXT COMMENT '退款原因',
        remark TEXT COMMENT '备注',
        _openid VARCHAR(100) COMMENT '支付用户OpenID（冗余字段）',
        created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        INDEX idx_user_id (user_id),
        INDEX idx_out_trade_no (out_trade_no),
        INDEX idx_transaction_id (transaction_id),
        INDEX idx_status (status),
        INDEX idx_trade_type (trade_type),
        FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE
      ) ${await contractTableOptions(queryRunner, '支付订单表')}`);
  }
}
