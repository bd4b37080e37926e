/**
 * A value for each row of one UPDATE: `CASE id WHEN ? THEN ? … END`. The column is compared with plain values and not joined
 * to a derived table, whose collation may differ from the column's. A row whose key is not among the entries gets NULL.
 */
export function valueByKey(
  column: string,
  entries: readonly (readonly [key: string, value: string | number | Date | null])[],
): { readonly sql: string; readonly values: unknown[] } {
  return { sql: `CASE ${column} ${'WHEN ? THEN ? '.repeat(entries.length)}END`, values: entries.flat() };
}
