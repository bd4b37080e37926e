import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

export class CreateInboxMessages2026112300018 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS inbox_messages (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        topic VARCHAR(40) NOT NULL,
        dedupe_key CHAR(64) NOT NULL,
        out_trade_no VARCHAR(100) NOT NULL,
        payload JSON NOT NULL,
        status ENUM('pending', 'handled', 'quarantined') NOT NULL DEFAULT 'pending',
        attempts INT UNSIGNED NOT NULL DEFAULT 0,
        available_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        received_at DATETIME(3) NOT NULL,
        handled_at DATETIME(3) NULL,
        outcome VARCHAR(60) NULL,
        last_error VARCHAR(500) NULL,
        UNIQUE INDEX uq_inbox_messages_dedupe_key (dedupe_key),
        INDEX idx_inbox_messages_due (status, available_at, id),
        INDEX idx_inbox_messages_out_trade_no (out_trade_no)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
