/** What a cell is, so that a spreadsheet shows it as it is: `text` stays text also when it looks like a number. */
export type CellKind = 'text' | 'yuan' | 'time' | 'count';

export type SheetColumn = { readonly heading: string; readonly kind: CellKind };

/** A cell: yuan as decimal text, a time as people of the zone in the heading write it; null is empty. */
export type Cell = string | null;

export type SheetRow = readonly Cell[];

export type Sheet = {
  readonly name: string;
  readonly columns: readonly SheetColumn[];
  /** In batches: a step for each row would cost more than the row. */
  readonly batches: AsyncIterable<readonly SheetRow[]>;
};
