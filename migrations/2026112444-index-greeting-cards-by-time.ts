import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** Listings show the newest first. */
export class IndexGreetingCardsByTime2026112400044 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'greeting_cards', [
      { name: 'idx_greeting_cards_created_at', columns: ['created_at'] },
    ]);
  }
}
