import type { Cell, CellKind, Sheet, SheetColumn, SheetRow } from './sheet.js';

/** Without it Excel reads UTF-8 as the code page of the machine, and Chinese turns into noise. */
const BYTE_ORDER_MARK = '\uFEFF';
const LINE_END = '\r\n';

/** What a spreadsheet takes for a formula, also in full width; a tab or a line end it skips before looking for one. */
const FORMULA_START = new Set([...'=+-@\t\r\n＝＋－＠'].map((sign) => sign.charCodeAt(0)));
/** What most cells have nothing of: they stand in the file as they are. */
const SPECIAL = /[",\r\n\t\0]/;
const DIGIT_0 = 48;
const DIGIT_9 = 57;

/** RFC 4180 with a byte order mark, for people who open it in a spreadsheet. */
export async function* toCsv({ columns, batches }: Sheet): AsyncGenerator<string, void> {
  yield BYTE_ORDER_MARK + columns.map(({ heading }) => textCell(heading)).join(',') + LINE_END;
  for await (const rows of batches) {
    yield rows.map((row) => csvLine(row, columns)).join('');
  }
}

function csvLine(row: SheetRow, columns: readonly SheetColumn[]): string {
  let line = '';
  // By number and not by an iterator: an export of a million rows has eighteen million cells.
  for (let at = 0; at < row.length; at += 1) {
    if (at > 0) line += ',';
    line += csvCell(row[at] ?? null, columns[at]?.kind ?? 'text');
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
  const isSpecial = SPECIAL.test(text);
  const safe = isSpecial ? text.replaceAll('\0', '') : text;
  const first = safe.charCodeAt(0);
  if (first >= DIGIT_0 && first <= DIGIT_9) return quoted(`${safe}\t`);
  const shown = FORMULA_START.has(first) ? `'${safe}` : safe;
  return isSpecial ? quoted(shown) : shown;
}

function quoted(text: string): string {
  return `"${text.includes('"') ? text.replaceAll('"', '""') : text}"`;
}
