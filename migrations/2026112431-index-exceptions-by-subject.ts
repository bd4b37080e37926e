import type { QueryRunner } from 'typeorm';
import { addMissingIndexes, ForwardOnlyMigration } from './support.js';

/** What is wrong with one order, and which orders are held, without reading all exceptions there ever were. */
export class IndexExceptionsBySubject2026112400031 extends ForwardOnlyMigration {
  async up(queryRunner: QueryRunner): Promise<void> {
    await addMissingIndexes(queryRunner, 'exceptions', [
      { name: 'idx_exceptions_subject', columns: ['subject'], isHinted: true },
      {
        name: 'idx_exceptions_kind_status',
        columns: ['kind', 'status', 'opened_at'],
        isHinted: true,
      },
    ]);
  }
}
