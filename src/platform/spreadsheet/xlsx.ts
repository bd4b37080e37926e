import type { Cell, CellKind, Sheet, SheetColumn, SheetRow } from './sheet.js';
import { toZip } from './zip.js';
import type { ZipEntry } from './zip.js';

/** A worksheet holds 1,048,576 rows; what comes after goes to the next one. */
const ROWS_PER_SHEET = 1_000_000;
/** Of these a piece is made: pieces of megabytes are memory that is given back late. */
const ROWS_PER_PIECE = 100;
/** Excel's own limit for a cell. */
const CELL_LENGTH_MAX = 32_767;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATIONS = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const TYPES = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

const STYLE = { plain: 0, text: 1, yuan: 2, heading: 3 } as const;

/** What XML 1.0 has no way to write, halves of a surrogate pair among it. */
const UNWRITABLE = new RegExp(
  '[\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\uFFFE\\uFFFF]' +
    '|[\\uD800-\\uDBFF](?![\\uDC00-\\uDFFF])|(?<![\\uD800-\\uDBFF])[\\uDC00-\\uDFFF]',
  'g',
);
/** The underscore only where Excel would read `_x0041_` as the character of that number. */
const SPECIAL = /[&<>\r]|_(?=x[0-9A-Fa-f]{4}_)/g;
const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#13;',
  _: '_x005F_',
};

/** An Excel workbook as it is made, sheet by sheet, with the parts that name the sheets at its end. */
export function toXlsx(sheet: Sheet): AsyncGenerator<Buffer, void> {
  return toZip(parts(sheet));
}

async function* parts({ name, columns, batches }: Sheet): AsyncGenerator<ZipEntry> {
  const rows = new RowSource(batches);
  let sheets = 0;
  do {
    sheets += 1;
    yield { name: `xl/worksheets/sheet${sheets}.xml`, content: worksheet(columns, rows) };
  } while (await rows.hasMore());
  const numbers = Array.from({ length: sheets }, (_, at) => at + 1);
  yield { name: 'xl/styles.xml', content: once(STYLES) };
  yield { name: 'xl/workbook.xml', content: once(workbook(name, numbers)) };
  yield { name: 'xl/_rels/workbook.xml.rels', content: once(workbookRelations(numbers)) };
  yield { name: '_rels/.rels', content: once(PACKAGE_RELATIONS) };
  yield { name: '[Content_Types].xml', content: once(contentTypes(numbers)) };
}

/** Hands rows out by the worksheet, and remembers what is left of a batch when a sheet is full. */
class RowSource {
  private readonly iterator: AsyncIterator<readonly SheetRow[]>;
  private rest: readonly SheetRow[] = [];

  constructor(batches: AsyncIterable<readonly SheetRow[]>) {
    this.iterator = batches[Symbol.asyncIterator]();
  }

  async hasMore(): Promise<boolean> {
    while (this.rest.length === 0) {
      const next = await this.iterator.next();
      if (next.done) return false;
      this.rest = next.value;
    }
    return true;
  }

  async take(countMax: number): Promise<readonly SheetRow[]> {
    if (countMax === 0 || !(await this.hasMore())) return [];
    const taken = this.rest.slice(0, countMax);
    this.rest = this.rest.slice(taken.length);
    return taken;
  }
}

async function* worksheet(columns: readonly SheetColumn[], source: RowSource): AsyncGenerator<string> {
  const letters = columns.map((_, at) => columnLetters(at));
  const headings = columns.map(({ heading }, at) => stringCell(`${letters[at]}1`, heading, STYLE.heading));
  yield `${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols><col min="1" max="${columns.length}" width="20" customWidth="1"/></cols><sheetData><row r="1">${headings.join('')}</row>`;
  let written = 0;
  for (;;) {
    const rows = await source.take(Math.min(ROWS_PER_PIECE, ROWS_PER_SHEET - written));
    if (rows.length === 0) break;
    let text = '';
    for (const row of rows) {
      written += 1;
      const number = written + 1;
      text += `<row r="${number}">`;
      for (const [at, cell] of row.entries()) {
        text += xlsxCell(`${letters[at]}${number}`, cell, columns[at]?.kind ?? 'text');
      }
      text += '</row>';
    }
    yield text;
  }
  yield '</sheetData></worksheet>';
}

function xlsxCell(at: string, cell: Cell, kind: CellKind): string {
  if (cell === null || cell === '') return '';
  if (kind === 'yuan') return `<c r="${at}" s="${STYLE.yuan}"><v>${cell}</v></c>`;
  if (kind === 'count') return `<c r="${at}"><v>${cell}</v></c>`;
  return stringCell(at, cell, kind === 'text' ? STYLE.text : STYLE.plain);
}

/** A string, never a formula or a number; its style keeps it one when somebody edits the cell. */
function stringCell(at: string, text: string, style: number): string {
  const written = escaped(text.length > CELL_LENGTH_MAX ? text.slice(0, CELL_LENGTH_MAX) : text);
  return `<c r="${at}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${written}</t></is></c>`;
}

function escaped(text: string): string {
  return text.replace(UNWRITABLE, '').replace(SPECIAL, (character) => ENTITIES[character] ?? '');
}

function columnLetters(at: number): string {
  const last = String.fromCharCode(65 + (at % 26));
  return at < 26 ? last : `${columnLetters(Math.floor(at / 26) - 1)}${last}`;
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

const STYLES = `${XML}<styleSheet xmlns="${MAIN}"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="4"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/><xf numFmtId="2" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="1" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" applyFont="1"/></cellXfs></styleSheet>`;

const PACKAGE_RELATIONS = `${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="rId1" Type="${RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>`;

function workbook(name: string, numbers: readonly number[]): string {
  const sheets = numbers.map((number) => {
    const title = number === 1 ? name : `${name} ${number}`;
    return `<sheet name="${escaped(title)}" sheetId="${number}" r:id="rId${number}"/>`;
  });
  return `${XML}<workbook xmlns="${MAIN}" xmlns:r="${RELATIONS}"><sheets>${sheets.join('')}</sheets></workbook>`;
}

function workbookRelations(numbers: readonly number[]): string {
  const sheets = numbers.map(
    (number) =>
      `<Relationship Id="rId${number}" Type="${RELATIONS}/worksheet" Target="worksheets/sheet${number}.xml"/>`,
  );
  return `${XML}<Relationships xmlns="${PACKAGE}/relationships">${sheets.join('')}<Relationship Id="rIdStyles" Type="${RELATIONS}/styles" Target="styles.xml"/></Relationships>`;
}

function contentTypes(numbers: readonly number[]): string {
  const sheets = numbers.map(
    (number) =>
      `<Override PartName="/xl/worksheets/sheet${number}.xml" ContentType="${TYPES}.worksheet+xml"/>`,
  );
  return `${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${TYPES}.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="${TYPES}.styles+xml"/>${sheets.join('')}</Types>`;
}
