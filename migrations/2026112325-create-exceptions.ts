import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, orderNumberColumn, OWN_TABLE_OPTIONS } from './support.js';

export class CreateExceptions2026112300025 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS exceptions (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        kind VARCHAR(60) NOT NULL,
        ${await orderNumberColumn(queryRunner, 'subject')},
        reason VARCHAR(500) NOT NULL,
        detail JSON NULL,
        status ENUM('open', 'resolved', 'dismissed') NOT NULL DEFAULT 'open',
        opened_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        resolved_at DATETIME(3) NULL,
        resolved_by VARCHAR(100) NULL,
        resolution VARCHAR(500) NULL,
        UNIQUE INDEX uq_exceptions_kind_subject (kind, subject),
        INDEX idx_exceptions_status (status, opened_at)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
