import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, hasColumn } from './support.js';

/** The beginning of a price as long as it is not cancelled: what the next migration makes unique. */
export class AddPriceConfigsScheduledFor2026112400020 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    if (await hasColumn(queryRunner, 'price_configs', 'scheduled_for')) return;
    await queryRunner.query('ALTER TABLE price_configs ADD COLUMN scheduled_for DATETIME(3) NULL');
  }
}
