import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

export class CreateJobLeases2026112300022 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS job_leases (
        name VARCHAR(60) NOT NULL PRIMARY KEY,
        owner VARCHAR(80) NULL,
        fencing_token BIGINT UNSIGNED NOT NULL DEFAULT 0,
        expires_at DATETIME(3) NOT NULL,
        cursor_value VARCHAR(200) NULL,
        updated_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
