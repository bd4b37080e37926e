import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** One price begins for a package at one instant; a cancelled one has no `scheduled_for` and is in nobody's way. */
export class IndexPriceConfigs2026112400021 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'price_configs', [
      {
        name: 'uq_price_configs_package_scheduled',
        columns: ['package_type', 'scheduled_for'],
        unique: true,
      },
    ]);
  }
}
