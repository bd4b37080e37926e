import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration, hasColumn } from './support.js';

/**
 * The outbox learns to send: a fact is told over channels, each with a row of its own. One ALTER, which the server applies
 * as a whole or not at all; a replica of the previous version goes on staging facts beside it.
 */
export class OutboxChannels2026112400001 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    if (await hasColumn(queryRunner, 'outbox_messages', 'channel')) return;
    // Grants stage their notices here: they must not queue behind an ALTER that waits.
    await queryRunner.query('SET SESSION lock_wait_timeout = 3');
    try {
      await queryRunner.query(`
        ALTER TABLE outbox_messages
          ADD COLUMN channel VARCHAR(20) NOT NULL DEFAULT '' AFTER topic,
          MODIFY COLUMN status ENUM('pending', 'sent', 'failed', 'distributed', 'unwanted') NOT NULL DEFAULT 'pending',
          ADD COLUMN claims INT UNSIGNED NOT NULL DEFAULT 0 AFTER attempts,
          ADD COLUMN wanted_since DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) AFTER available_at,
          ADD INDEX idx_outbox_messages_channel_due (status, channel, available_at, id),
          DROP INDEX idx_outbox_messages_due`);
    } finally {
      await queryRunner.query('SET SESSION lock_wait_timeout = DEFAULT');
    }
  }
}
