import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { listTables, migrate } from './migration-database.js';

const DUMP_FILE = new URL('../../docs/schema.sql', import.meta.url);
const HEADER = `-- The schema after all migrations on an empty MariaDB 10.11. Generated: do not edit.
-- Renew it with UPDATE_SCHEMA_DUMP=1 npm test -- test/migrations/schema-dump.test.ts
`;

describe('docs/schema.sql', () => {
  // Every server prints the same tables in other words: one server's are the reference, on others the columns must agree.
  it('is what the migrations make', async () => {
    const database = await createTestDatabase();
    try {
      await migrate(database);
      const statements: string[] = [];
      for (const table of (await listTables(database)).filter((name) => name !== 'migrations')) {
        const [row] = await database.query<Record<string, string>>(`SHOW CREATE TABLE ${table}`);
        statements.push(`${(row?.['Create Table'] ?? '').replace(/ AUTO_INCREMENT=\d+/, '')};\n`);
      }
      const dump = [HEADER, ...statements].join('\n');
      if (process.env.UPDATE_SCHEMA_DUMP === '1' && database.server === 'mariadb')
        await writeFile(DUMP_FILE, dump);
      const committed = await readFile(DUMP_FILE, 'utf8');
      if (database.server === 'mariadb') expect(dump).toBe(committed);
      else expect(listColumns(dump)).toEqual(listColumns(committed));
    } finally {
      await database.drop();
    }
  });
});

/** `table.column` of every column, in order: what both servers print alike. */
function listColumns(dump: string): string[] {
  const columns: string[] = [];
  let table = '';
  for (const line of dump.split('\n')) {
    table = /^CREATE TABLE `(\w+)`/.exec(line)?.[1] ?? table;
    const column = /^ {2}`(\w+)` /.exec(line)?.[1];
    if (column) columns.push(`${table}.${column}`);
  }
  return columns;
}
