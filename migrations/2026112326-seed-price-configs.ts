import type { QueryRunner } from 'typeorm';
import { ForwardOnlyMigration } from './support.js';

/** The contract's prices, with the contract's times in UTC. A table that has prices already is left alone. */
export class SeedPriceConfigs2026112300026 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`
      INSERT INTO price_configs (package_type, amount_fen, effective_at, author, created_at)
      SELECT seed.package_type, seed.amount_fen, '2026-01-27 00:00:00.000', 'system:migration', '2026-01-26 10:30:00.000'
      FROM (
        SELECT 'basic' AS package_type, 1 AS amount_fen
        UNION ALL
        SELECT 'premium', 2990
      ) AS seed
      WHERE NOT EXISTS (SELECT 1 FROM price_configs)`);
  }
}
