/** One page of a listing; `next` is where the following page begins, null on the last one. */
export type Page<Item, Position> = { readonly items: readonly Item[]; readonly next: Position | null };

export type PageRequest<Position> = {
  /** The position of the last item that was seen already; null begins at the start. */
  readonly after: Position | null;
  readonly limit: number;
};

/** Makes a page of rows that were read with a limit of `limit + 1`: the surplus row tells that there is more. */
export function pageOf<Item, Position>(
  rows: readonly Item[],
  limit: number,
  positionOf: (item: Item) => Position,
): Page<Item, Position> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next: rows.length > limit && last !== undefined ? positionOf(last) : null };
}
