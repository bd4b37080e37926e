import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

/** Which days' bills of WeChat Pay were read to the end. Days are Beijing days. */
export class CreateBillChecks2026112400012 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS bill_checks (
        bill_date DATE NOT NULL,
        bill_type VARCHAR(20) NOT NULL,
        row_count INT UNSIGNED NOT NULL,
        new_count INT UNSIGNED NOT NULL,
        checked_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        PRIMARY KEY (bill_date, bill_type)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
