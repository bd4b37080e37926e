import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCsv } from '../../support/csv.js';
import { toCsv } from '../../../src/platform/spreadsheet/csv.js';
import type { SheetRow } from '../../../src/platform/spreadsheet/sheet.js';

const COLUMNS = [
  { heading: '订单号', kind: 'text' },
  { heading: '金额（元）', kind: 'yuan' },
] as const;

async function write(rows: readonly SheetRow[]): Promise<string> {
  async function* batches() {
    yield rows;
  }
  let text = '';
  for await (const piece of toCsv({ name: 'x', columns: COLUMNS, batches: batches() })) text += piece;
  return text;
}

describe('CSV', () => {
  it('begins with a byte order mark and ends each line with CRLF', async () => {
    expect(await write([['a', '1.00']])).toBe('\uFEFF订单号,金额（元）\r\na,1.00\r\n');
  });

  it('keeps a merchant number of 18 digits, and leading zeros, as text by a tab behind it', async () => {
    expect(await write([['170634567890112345', '-0.05']])).toContain('"170634567890112345\t",-0.05\r\n');
    expect(await write([['00104', null]])).toContain('"00104\t",\r\n');
    expect(await write([['order-1', '']])).toContain('order-1,\r\n');
  });

  // Prevents a customer's nickname from running as a formula on the accountant's machine.
  it('lets no text be taken for a formula, also in full width and behind what is skipped', async () => {
    for (const start of ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠', '\0=', '\0\0\t']) {
      const [, row] = readCsv((await write([[`${start}HYPERLINK("http://x")`, null]])).slice(1));
      expect(row?.[0]?.startsWith("'")).toBe(true);
      expect(row?.[0]).not.toContain('\0');
    }
  });

  it('is read back as it was written, whatever is in it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary' }), { minLength: 100, maxLength: 200 }),
        async (texts) => {
          const rows = readCsv((await write(texts.map((text) => [text, null]))).slice(1)).slice(1);
          const back = rows.map(([cell = '']) => cell.replace(/^'(?=[=+\-@\t\r\n＝＋－＠])/, ''));
          const expected = texts.map((text) => {
            const clean = text.replaceAll('\0', '');
            return /^\d/.test(clean) ? `${clean}\t` : clean;
          });
          expect(back).toEqual(expected);
          for (const [cell] of rows) expect(cell).not.toMatch(/^[=+\-@\t\r\n＝＋－＠]/);
        },
      ),
      { numRuns: 5, endOnFailure: true },
    );
  });
});
