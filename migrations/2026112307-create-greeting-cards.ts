import type { QueryRunner } from 'typeorm';
import { contractTableOptions, ForwardOnlyMigration } from './support.js';

export class CreateGreetingCards2026112300007 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      CREATE TABLE IF NOT EXISTS greeting_cards (
        id VARCHAR(36) PRIMARY KEY,
        user_id VARCHAR(36) NOT NULL,
        image_url TEXT,
        greeting_text TEXT,
        template_style VARCHAR(50),
        created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
        updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,
        INDEX idx_user_id (user_id)
      ) ${await contractTableOptions(queryRunner, '电子贺卡表')}`);
  }
}
