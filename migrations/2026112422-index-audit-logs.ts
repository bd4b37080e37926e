import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** For "what did this operator do"; within one actor the index has the order of the key. */
export class IndexAuditLogs2026112400022 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'audit_logs', [
      { name: 'idx_audit_logs_actor', columns: ['actor'] },
    ]);
  }
}
