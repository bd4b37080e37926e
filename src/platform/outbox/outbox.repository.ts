import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work.js';

@Injectable()
export class OutboxRepository {
  /** @throws a duplicate-entry error when a notice with this key is staged already */
  async insert(
    tx: Tx,
    notice: { topic: string; key: string; payload: Record<string, unknown> },
  ): Promise<void> {
    await tx.query('INSERT INTO outbox_messages (topic, message_key, payload) VALUES (?, ?, ?)', [
      notice.topic,
      notice.key,
      JSON.stringify(notice.payload),
    ]);
  }
}
