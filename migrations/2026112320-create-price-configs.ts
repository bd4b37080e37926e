import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

export class CreatePriceConfigs2026112300020 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS price_configs (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        package_type ENUM('basic', 'premium') NOT NULL,
        amount_fen INT UNSIGNED NOT NULL,
        effective_at DATETIME(3) NOT NULL,
        author VARCHAR(100) NOT NULL,
        note VARCHAR(500) NULL,
        created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        cancelled_at DATETIME(3) NULL,
        cancelled_by VARCHAR(100) NULL,
        INDEX idx_price_configs_package_effective (package_type, effective_at)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
