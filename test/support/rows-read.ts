import type { Tx } from '../../src/platform/database/unit-of-work.js';
import type { TestDatabase } from './database.js';

export type Statement = { readonly sql: string; readonly values: unknown[] };

/** A `tx` that runs its statements, and keeps them. */
export function recording(reader: Tx): { readonly tx: Tx; readonly seen: Statement[] } {
  const seen: Statement[] = [];
  const query = (sql: string, values: unknown[] = []) => {
    seen.push({ sql, values });
    return reader.query<unknown>(sql, values);
  };
  return { tx: { query } as unknown as Tx, seen };
}

/** How many rows the server really read for a statement: EXPLAIN only guesses. */
export async function rowsRead(database: TestDatabase, { sql, values }: Statement): Promise<number> {
  const connection = await database.connect();
  // The session's own counters, as a difference: FLUSH STATUS would set those of every other session back as well.
  const readSoFar = async () => {
    const [rows] = await connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'");
    return (rows as { Value: string }[]).reduce((sum, { Value }) => sum + Number(Value), 0);
  };
  try {
    const before = await readSoFar();
    await connection.query(sql, values);
    return (await readSoFar()) - before;
  } finally {
    await connection.end();
  }
}
