import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

export class CreateAdminTokens2026112300023 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS admin_tokens (
        id VARCHAR(36) NOT NULL PRIMARY KEY,
        name VARCHAR(100) NOT NULL,
        token_hash CHAR(64) NOT NULL,
        role ENUM('viewer', 'operator', 'admin') NOT NULL,
        created_by VARCHAR(100) NOT NULL,
        created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        expires_at DATETIME(3) NOT NULL,
        last_used_at DATETIME(3) NULL,
        revoked_at DATETIME(3) NULL,
        revoked_by VARCHAR(100) NULL,
        UNIQUE INDEX uq_admin_tokens_token_hash (token_hash)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
