import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type mysql from 'mysql2/promise';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { COLUMNS_QUERY, imageOf, readColumns } from './checker/binlog.ts';
import { readBinlogFile } from './checker/binlog-file.ts';
import type { Row, RowChange } from './checker/evidence.ts';
import { query } from './run/server.ts';
import type { FaultServer } from './run/server.ts';
import { startServerLikeTheOneUnderTest } from './run/server-under-test.ts';

const WITHIN_MS = 120_000;
const DATABASE = 'nasty';
const TABLE = `CREATE TABLE nasty.things (
  id BIGINT UNSIGNED NOT NULL PRIMARY KEY, tiny TINYINT, n INT, nu INT UNSIGNED, money DECIMAL(10,2), s VARCHAR(200), c CHAR(8),
  tx TEXT, j JSON, e ENUM('a','it''s,b','c'), dt DATETIME(3), dt0 DATETIME, ts TIMESTAMP NULL, ts3 TIMESTAMP(3) NULL, d DATE
) DEFAULT CHARSET=utf8mb4`;
const TEXTS = [
  '',
  'NULL',
  `it's a "q" \\ back\nnl\r\n\ttab \0nul \x1a \b`,
  "'",
  '\\',
  "\\'",
  '表情😀 \u2028 line separator',
  '=HYPERLINK("x") /* VARSTRING(9) meta=1 nullable=1 is_null=0 */',
  '### INSERT INTO `nasty`.`things`\n### SET\n###   @1=5 /* INT meta=0 nullable=1 is_null=0 */',
  'COMMIT/*!*/;\n# at 4\nCOMMIT',
];

let dir: string;
let server: FaultServer;
let root: mysql.Pool;
let changes: readonly RowChange[];
let rows: readonly Row[];

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'wxpay-binlog-'));
  server = await startServerLikeTheOneUnderTest(dir);
  root = server.pool();
  const since = await server.beginBinlog(root);
  await query(root, `CREATE DATABASE ${DATABASE} DEFAULT CHARSET utf8mb4`);
  await query(root, TABLE);
  await write();
  const file = join(dir, 'binlog.txt');
  await server.writeBinlog(root, { database: DATABASE, since }, file);
  const columns = readColumns(await query(root, COLUMNS_QUERY, [DATABASE]));
  changes = await readBinlogFile(file, { server: server.kind, columns });
  const [found] = await root.query({
    sql: 'SELECT * FROM nasty.things ORDER BY id',
    typeCast: (field) => field.string('utf8'),
  });
  rows = found as Row[];
}, WITHIN_MS);

afterAll(async () => {
  await root.end();
  await server.stop();
  rmSync(dir, { recursive: true, force: true });
}, WITHIN_MS);

async function write(): Promise<void> {
  const times = { dt: '2026-01-02 03:04:05.678', dt0: '2026-01-02 03:04:05', d: '2026-01-02' };
  const stamps = { ts: '2026-07-02 03:04:05', ts3: '2026-07-02 03:04:05.067' };
  const edges = { tiny: -1, n: -5, nu: 4294967295, money: '-0.05', e: "it's,b", c: 'ab' };
  for (const [index, text] of TEXTS.entries()) {
    const j = JSON.stringify({ text, amount: 1.5, none: null });
    await query(root, 'INSERT INTO nasty.things SET ?', [
      { id: index + 1, s: text, tx: text, j, ...times, ...stamps, ...edges },
    ]);
  }
  await query(root, "INSERT INTO nasty.things (id, money) VALUES (18446744073709551615, '99999999.99')");
  await query(
    root,
    'START TRANSACTION; UPDATE nasty.things SET s = NULL, money = 0, e = NULL WHERE id = 1; COMMIT',
  );
  await query(root, "START TRANSACTION; UPDATE nasty.things SET s = 'undone'; ROLLBACK");
  await query(
    root,
    'START TRANSACTION; UPDATE nasty.things SET n = 7 WHERE id < 3; DELETE FROM nasty.things WHERE id = 4; COMMIT',
  );
}

describe('the binary log of the server under test', () => {
  it('gives the rows of the table, to the last character, when it is played again', () => {
    const played = new Map<string, Row>();
    for (const change of changes) {
      const id = String(imageOf(change).id);
      expect(change.before).toEqual(played.get(id) ?? null);
      if (change.after) played.set(id, change.after);
      else played.delete(id);
    }
    expect(played.size).toBe(rows.length);
    for (const row of rows) expect(played.get(String(row.id))).toEqual(row);
  });

  it('counts what was committed, and at its time', () => {
    const last = changes.filter(({ transaction }) => transaction === changes.at(-1)?.transaction);
    expect(last.map(({ before, after }) => [before?.id, after?.n])).toEqual([
      ['1', '7'],
      ['2', '7'],
      ['4', undefined],
    ]);
    for (const { committedAtMs } of changes)
      expect(Math.abs(Date.now() - committedAtMs)).toBeLessThan(WITHIN_MS);
  });
});
