import type { SheetColumn, SheetRow } from '../platform/spreadsheet/sheet.js';

/** How the rows of one export look, and the sums of those that went through; one for each file. */
export type ExportTable<Row> = {
  /** The name of the worksheet. */
  readonly title: string;
  readonly columns: readonly SheetColumn[];
  /** The cells of a row, which counts from now on. */
  add(row: Row): SheetRow;
  /** The last row: without it a file is not whole. */
  summary(): SheetRow;
};

export const text = (heading: string): SheetColumn => ({ heading, kind: 'text' });
export const yuan = (heading: string): SheetColumn => ({ heading: `${heading}（元）`, kind: 'yuan' });
export const time = (heading: string): SheetColumn => ({
  heading: `${heading}（北京时间 Asia/Shanghai UTC+8）`,
  kind: 'time',
});
