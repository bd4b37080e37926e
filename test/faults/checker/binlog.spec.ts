import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readBinlog, readColumns } from './binlog.ts';

const COLUMNS = readColumns([
  { tableName: 't', columnName: 'id', columnType: 'bigint(20) unsigned' },
  { tableName: 't', columnName: 'n', columnType: 'int' },
  { tableName: 't', columnName: 'money', columnType: 'decimal(10,2)' },
  { tableName: 't', columnName: 's', columnType: 'varchar(100)' },
  { tableName: 't', columnName: 'tx', columnType: 'text' },
  { tableName: 't', columnName: 'j', columnType: 'json' },
  { tableName: 't', columnName: 'e', columnType: "enum('a','it''s,b','c')" },
  { tableName: 't', columnName: 'dt', columnType: 'datetime(3)' },
  { tableName: 't', columnName: 'ts', columnType: 'timestamp' },
  { tableName: 't', columnName: 'd', columnType: 'date' },
  { tableName: 'u', columnName: 'id', columnType: 'int' },
  { tableName: 'u', columnName: 's', columnType: 'varchar(100)' },
  { tableName: 'u', columnName: 'e', columnType: "enum('a','b')" },
]);

/** Written by `mariadb-binlog` 10.11.19 and `mysqlbinlog` 9.7.4 of the same statements. */
const SERVERS = ['mariadb', 'mysql'] as const;

describe.each(SERVERS)('the text of the binary log of %s', (server) => {
  const read = async () => {
    const file = join(import.meta.dirname, 'fixtures', `binlog-${server}.txt`);
    return readBinlog(readFileSync(file, 'utf8').split('\n'), { server, columns: COLUMNS });
  };

  it('gives every value as a query would show it', async () => {
    const [nasty, sparse] = await read();
    const { j, ...row } = nasty?.after ?? {};
    expect(row).toEqual({
      id: '18446744073709551615',
      n: '-5',
      money: '-0.05',
      s: 'it\'s a "q" \\ back\nnl\ttab 表情😀 /* VARSTRING(9) meta=1 */',
      tx: 'line\n### INSERT INTO `nasty`.`t`\n###   @1=5',
      e: "it's,b",
      dt: '2026-01-02 03:04:05.678',
      ts: '2026-01-02 03:04:05',
      d: '2026-01-02',
    });
    expect(JSON.parse(j ?? '')).toEqual({ a: 'b\'c\n"' });
    const nothing = { n: null, tx: null, j: null, e: null, dt: null, ts: null, d: null };
    expect(sparse?.after).toEqual({ id: '1', money: '99999999.99', s: 'NULL', ...nothing });
  });

  it('counts transactions and leaves out what was undone', async () => {
    const changes = await read();
    expect(
      changes.map(({ transaction, table, before, after }) => [transaction, table, before, after]).slice(2),
    ).toEqual([
      [3, 'u', null, { id: '-1', s: '', e: 'b' }],
      [3, 'u', { id: '-1', s: '', e: 'b' }, { id: '-1', s: null, e: 'b' }],
      [4, 'u', { id: '-1', s: null, e: 'b' }, null],
    ]);
  });

  it('knows when a transaction was committed', async () => {
    const [first] = await read();
    const second = Date.UTC(2026, 10, 24, 11, 9, 0);
    expect(first?.committedAtMs).toBeGreaterThan(second);
    expect(first?.committedAtMs).toBeLessThan(second + 60_000);
  });
});

describe('the reader of the binary log', () => {
  const source = { server: 'mariadb', columns: COLUMNS } as const;

  it('takes a transaction that the log does not end for none', async () => {
    const lines = ['START TRANSACTION', '### INSERT INTO `x`.`u`', '### SET', row(1, "'a'")];
    expect(await readBinlog(lines, source)).toEqual([]);
    expect(await readBinlog([...lines, 'START TRANSACTION', 'COMMIT/*!*/;'], source)).toEqual([]);
  });

  it('passes nothing over that it does not understand', async () => {
    for (const line of ['### INSERT INTO `x`.`unknown`', '### INSERT INTO `x`.`u`']) {
      const lines = [line, '### SET', row(line.includes('unknown') ? 1 : 4, '1')];
      await expect(readBinlog(lines, source)).rejects.toThrow('has no column');
    }
    await expect(readBinlog(['###   @1=1'], source)).rejects.toThrow('not a line of a row');
  });
});

function row(position: number, text: string): string {
  return `###   @${position}=${text} /* VARSTRING(400) meta=400 nullable=1 is_null=0 */`;
}
