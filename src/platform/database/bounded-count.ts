import type { Tx } from './unit-of-work.js';

/** Counting stops here: an operator needs to know that it is many, not how many. */
export const COUNT_MAX = 10_000;

/** How many rows there are, up to {@link COUNT_MAX}. @param from a table and its condition, written in the code */
export async function countUpToLimit(tx: Tx, from: string, values: readonly unknown[] = []): Promise<number> {
  const [row] = await tx.query<{ n: string | number }[]>(
    `SELECT COUNT(*) AS n FROM (SELECT 1 FROM ${from} LIMIT ?) AS some`,
    [...values, COUNT_MAX],
  );
  return Number(row?.n ?? 0);
}
