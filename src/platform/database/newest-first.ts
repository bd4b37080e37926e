import type { PageRequest } from '../../shared/page.js';
import type { Tx } from './unit-of-work.js';

/** Where a listing by time goes on: an ISO instant and the id that tells rows of one second apart. */
export type TimePosition = { readonly at: string; readonly id: string };

/** A condition with its value; undefined: not asked for. */
export type Condition = readonly [sql: string, value: unknown];

/** One more row than the page holds, by an index on `time`. Names are constants of a repository, never input. */
export async function listNewestFirst<Row>(
  tx: Tx,
  listing: {
    readonly select: string;
    readonly time: string;
    readonly id: string;
    readonly conditions: readonly Condition[];
    readonly page: PageRequest<TimePosition>;
  },
): Promise<Row[]> {
  const { select, time, id, page } = listing;
  const asked = listing.conditions.filter(([, value]) => value !== undefined);
  const values = asked.map(([, value]) => value);
  const conditions = [`${time} IS NOT NULL`, ...asked.map(([sql]) => sql)];
  if (page.after) {
    const at = new Date(page.after.at);
    conditions.push(`${time} <= ? AND (${time} < ? OR ${id} < ?)`);
    values.push(at, at, page.after.id);
  }
  return tx.query<Row[]>(
    `${select} WHERE ${conditions.join(' AND ')} ORDER BY ${time} DESC, ${id} DESC LIMIT ?`,
    [...values, page.limit + 1],
  );
}
