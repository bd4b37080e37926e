import type { Cell, CellKind, Sheet, SheetColumn, SheetRow } from './sheet.js';

/** Without it Excel reads UTF-8 as the code page of the machine, and Chinese turns into noise. */
const BYTE_ORDER_MARK = '\uFEFF';
const LINE_END = '\r\n';

/** What a spreadsheet takes for a formula, also in full width, and the characters it skips before looking for one. */
const FORMULA_START = /^[=+\-@\t\r\n＝＋－＠]/;
const NEEDS_QUOTES = /[",\r\n\t]/;
const NUL = '\0';

/** RFC 4180 with a byte order mark, for people who open it in a spreadsheet. */
export async function* toCsv({ columns, batches }: Sheet): AsyncGenerator<string, void> {
  yield BYTE_ORDER_MARK + columns.map(({ heading }) => textCell(heading)).join(',') + LINE_END;
  for await (const rows of batches) {
    yield rows.map((row) => csvLine(row, columns)).join('');
  }
}

function csvLine(row: SheetRow, columns: readonly SheetColumn[]): string {
  let line = '';
  for (const [at, cell] of row.entries()) {
    if (at > 0) line += ',';
    line += csvCell(cell, columns[at]?.kind ?? 'text');
  }
  return line + LINE_END;
}

function csvCell(cell: Cell, kind: CellKind): string {
  if (cell === null || cell === '') return '';
  // Amounts and times are made here, of digits; everything else may be what a customer typed.
  return kind === 'text' ? textCell(cell) : cell;
}

/**
 * A leading apostrophe keeps a spreadsheet from calculating. A tab behind it keeps what begins with a digit as text:
 * Excel shows only 15 digits of a number, and merchant numbers have 18. The bills of Chinese payment services do the same.
 */
function textCell(text: string): string {
  let safe = text.includes(NUL) ? text.replaceAll(NUL, '') : text;
  if (FORMULA_START.test(safe)) safe = `'${safe}`;
  const first = safe.charCodeAt(0);
  if (first >= 48 && first <= 57) safe += '\t';
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
