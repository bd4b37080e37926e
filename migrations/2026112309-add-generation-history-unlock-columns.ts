import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, hasColumn } from './support.js';

const UNLOCK_COLUMNS = [
  ['package_type', "ENUM('basic', 'premium') NULL"],
  ['unlocked_at', 'TIMESTAMP NULL'],
  ['unlocked_by_order_id', 'VARCHAR(36) NULL'],
] as const;

/** Only this backend writes generation_history, so that its columns may be added to; no other contract table's may. */
export class AddGenerationHistoryUnlockColumns2026112300009 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    const missing: string[] = [];
    for (const [column, definition] of UNLOCK_COLUMNS) {
      const present = await hasColumn(queryRunner, 'generation_history', column);
      if (!present) missing.push(`ADD COLUMN ${column} ${definition}`);
    }
    if (missing.length > 0) await queryRunner.query(`ALTER TABLE generation_history ${missing.join(', ')}`);
  }
}
