import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkWellFormed, readWorksheet, unzip } from '../../support/zip.js';
import type { Sheet, SheetRow } from '../../../src/platform/spreadsheet/sheet.js';
import { toXlsx } from '../../../src/platform/spreadsheet/xlsx.js';

/** What XML 1.0 cannot say. */
const UNWRITABLE = new RegExp(
  ['[', '\\u0000-\\u0008\\u000B\\u000C\\u000E-\\u001F\\uFFFE\\uFFFF', ']'].join(''),
  'g',
);

const COLUMNS: Sheet['columns'] = [
  { heading: '订单号', kind: 'text' },
  { heading: '金额（元）', kind: 'yuan' },
];

async function write(batches: () => AsyncGenerator<readonly SheetRow[]>): Promise<Map<string, string>> {
  const pieces: Buffer[] = [];
  for await (const piece of toXlsx({ name: '订单', columns: COLUMNS, batches: batches() }))
    pieces.push(piece);
  return unzip(Buffer.concat(pieces));
}

describe('XLSX', () => {
  it('is an archive of well-formed parts that name each other', async () => {
    const files = await write(async function* () {
      yield [['a', '1.00']];
    });
    for (const xml of files.values()) checkWellFormed(xml);
    expect([...files.keys()].sort()).toEqual([
      '[Content_Types].xml',
      '_rels/.rels',
      'xl/_rels/workbook.xml.rels',
      'xl/styles.xml',
      'xl/workbook.xml',
      'xl/worksheets/sheet1.xml',
    ]);
    expect(files.get('xl/workbook.xml')).toContain('<sheet name="订单" sheetId="1" r:id="rId1"/>');
  });

  it('keeps text as text, to the character, and amounts as the decimal they are', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'binary' }), { minLength: 100, maxLength: 200 }),
        async (texts) => {
          const files = await write(async function* () {
            yield [['170634567890112345', '-29.90'], ...texts.map((text) => [text, null])];
          });
          const cells = readWorksheet(files.get('xl/worksheets/sheet1.xml') ?? '');
          expect(cells.get('A2')).toEqual({ type: 'string', text: '170634567890112345' });
          expect(cells.get('B2')).toEqual({ type: 'number', text: '-29.90' });
          for (const [at, text] of texts.entries()) {
            const writable = text.replace(UNWRITABLE, '').toWellFormed();
            expect((cells.get(`A${at + 3}`)?.text ?? '').toWellFormed()).toBe(
              writable.replaceAll('\uFFFD', ''),
            );
          }
        },
      ),
      { numRuns: 5, endOnFailure: true },
    );
  });

  it('shows a text like _x0041_ as it is, and a formula as text that stays text', async () => {
    const files = await write(async function* () {
      yield [
        ['_x0041_', null],
        ['=1+1', null],
      ];
    });
    const xml = files.get('xl/worksheets/sheet1.xml') ?? '';
    expect(xml).toContain('_x005F_x0041_');
    expect(xml).toContain('<c r="A3" s="1" t="inlineStr"><is><t xml:space="preserve">=1+1</t>');
    expect(files.get('xl/styles.xml')).toContain('quotePrefix="1"');
  });

  // Prevents a file of more rows than a worksheet holds, which Excel calls damaged.
  it('goes on in another worksheet after a million rows', { timeout: 60_000 }, async () => {
    const files = await write(async function* () {
      const batch = Array.from({ length: 10_000 }, (): SheetRow => [null, '1.00']);
      for (let count = 0; count < 100; count += 1) yield batch;
      yield [['last', '100000000.00']];
    });
    expect(readWorksheet(files.get('xl/worksheets/sheet2.xml') ?? '').get('A2')?.text).toBe('last');
    expect(files.get('xl/worksheets/sheet1.xml')?.match(/<row /g)).toHaveLength(1_000_001);
    expect(files.get('[Content_Types].xml')).toContain('/xl/worksheets/sheet2.xml');
    expect(files.get('xl/workbook.xml')).toContain('name="订单 2"');
  });
});
