import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, OWN_TABLE_OPTIONS } from './support.js';

export class CreateOutboxMessages2026112300021 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS outbox_messages (
        id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
        topic VARCHAR(40) NOT NULL,
        message_key VARCHAR(150) NOT NULL,
        payload JSON NOT NULL,
        status ENUM('pending', 'sent', 'failed') NOT NULL DEFAULT 'pending',
        attempts INT UNSIGNED NOT NULL DEFAULT 0,
        available_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        sent_at DATETIME(3) NULL,
        last_error VARCHAR(500) NULL,
        created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
        UNIQUE INDEX uq_outbox_messages_message_key (message_key),
        INDEX idx_outbox_messages_due (status, available_at, id)
      ) ${OWN_TABLE_OPTIONS}`);
  }
}
