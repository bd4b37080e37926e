import type { QueryRunner } from 'typeorm';
import { contractTableOptions, ForwardOnlyMigration } from './support.js';

export class CreateErrorLogs2026112300008 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS error_logs (
        id VARCHAR(36) PRIMARY KEY,
        timestamp TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        level VARCHAR(20) NOT NULL,
        error_code VARCHAR(100),
        error_message TEXT,
        context JSON,
        created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        INDEX idx_timestamp (timestamp),
        INDEX idx_error_code (error_code)
      ) ${await contractTableOptions(queryRunner, '错误日志表')}`);
  }
}
