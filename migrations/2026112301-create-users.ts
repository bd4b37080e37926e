import type { QueryRunner } from 'typeorm';
import { contractTableOptions, ForwardOnlyMigration } from './support.js';

export class CreateUsers2026112300001 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    // Every TIMESTAMP says NULL: what the contract's bare TIMESTAMP means depends on a setting of the server.
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS users (
        id VARCHAR(36) PRIMARY KEY COMMENT '用户ID (UUID)',
        openid VARCHAR(100) UNIQUE COMMENT '微信OpenID',
        unionid VARCHAR(100) COMMENT '微信UnionID',
        nickname VARCHAR(100) COMMENT '用户昵称',
        avatar_url TEXT COMMENT '头像URL',
        phone VARCHAR(20) COMMENT '手机号',
        payment_status ENUM('free', 'basic', 'premium') DEFAULT 'free' COMMENT '付费状态',
        regenerate_count INT DEFAULT 3 COMMENT '重新生成次数',
        last_login_at TIMESTAMP NULL COMMENT '最后登录时间',
        created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        INDEX idx_openid (openid),
        INDEX idx_payment_status (payment_status)
      ) ${await contractTableOptions(queryRunner, '用户表')}`);
  }
}
