import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

export class CreateAuditLogs2026112300024 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS audit_logs (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        occurred_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        actor VARCHAR(100) NOT NULL,
        action VARCHAR(100) NOT NULL,
        target_type VARCHAR(50) NOT NULL,
        target_id VARCHAR(100) NOT NULL,
        before_data JSON NULL,
        after_data JSON NULL,
        reason VARCHAR(500) NULL,
        request_id VARCHAR(64) NULL,
        source_ip VARCHAR(45) NULL,
        INDEX idx_audit_logs_target (target_type, target_id),
        INDEX idx_audit_logs_occurred_at (occurred_at)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
