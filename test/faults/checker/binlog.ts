import type { Row, RowChange } from './evidence.ts';
import { readValue } from './binlog-value.ts';
import type { Column } from './binlog-value.ts';

/** The columns of each table, in their order in the row. */
export type Columns = Readonly<Record<string, readonly Column[]>>;

export type BinlogSource = {
  readonly server: 'mariadb' | 'mysql';
  readonly columns: Columns;
};

/** For `readColumns`; takes the name of the database. */
export const COLUMNS_QUERY = `SELECT TABLE_NAME AS tableName, COLUMN_NAME AS columnName, COLUMN_TYPE AS columnType
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ORDER BY TABLE_NAME, ORDINAL_POSITION`;

type ColumnRow = { readonly tableName: string; readonly columnName: string; readonly columnType: string };

export function readColumns(rows: readonly ColumnRow[]): Columns {
  const columns: Record<string, Column[]> = {};
  for (const { tableName, columnName, columnType } of rows) {
    (columns[tableName] ??= []).push({ name: columnName, type: columnType });
  }
  return columns;
}

const ROW_EVENT = /^### (INSERT INTO|UPDATE|DELETE FROM) `.*`\.`(.*)`$/;
const VALUE =
  /^### {3}@(\d+)=(.*) \/\* ([A-Z/]+)(?:\([\d, a-z]*\))? meta=\d+ nullable=[01] is_null=[01] \*\/$/s;
/** The head of an event, in the zone of the process that wrote the text: it must have run in UTC. */
const EVENT_HEAD = /^#(\d\d)(\d\d)(\d\d) +(\d{1,2}):(\d\d):(\d\d) server id /;
/** MySQL alone tells the moment of the commit, in microseconds. */
const COMMIT_TIME = /^# immediate_commit_timestamp=(\d+) /;

type Half = { row: Record<string, string | null> };
type Change = { table: string; before: Half | null; after: Half | null };

/**
 * Reads the text of `mariadb-binlog` or `mysqlbinlog` with `--base64-output=DECODE-ROWS -vv`, written with TZ=UTC, line by
 * line. Rows of a transaction count from its COMMIT on; one that the log does not end is none. Times of TIMESTAMP
 * columns become UTC text, as DATETIME columns have it.
 *
 * MariaDB writes control characters as `\x0a` and a backslash as it is, so text that has a backslash, an x and two such digits
 * in it comes out as the control character. MySQL's form has no such doubt.
 * @throws Error on a row of a table or a column that `columns` does not have: nothing is passed over in silence
 */
class BinlogReader {
  readonly changes: RowChange[] = [];
  private readonly source: BinlogSource;
  private transaction = 0;
  private open: Change[] = [];
  private half: Half | null = null;
  private eventAtMs = 0;
  private commitAtMs: number | null = null;

  constructor(source: BinlogSource) {
    this.source = source;
  }

  read(line: string): void {
    if (line.startsWith('###')) this.readRowLine(line);
    else if (line.startsWith('#')) this.readRemark(line);
    else if (line.startsWith('COMMIT')) this.commit();
    else if (/^(BEGIN|START TRANSACTION|ROLLBACK)\b/.test(line)) this.open = [];
  }

  private readRemark(line: string): void {
    const head = EVENT_HEAD.exec(line);
    if (head) {
      const [year, month, day, hour, minute, second] = head.slice(1).map(Number);
      this.eventAtMs = Date.UTC(2000 + (year ?? 0), (month ?? 1) - 1, day, hour, minute, second);
    }
    const committed = COMMIT_TIME.exec(line)?.[1];
    if (committed) this.commitAtMs = Math.floor(Number(committed) / 1000);
  }

  private readRowLine(line: string): void {
    const event = ROW_EVENT.exec(line);
    if (event) {
      const [, verb, table = ''] = event;
      const before = verb === 'INSERT INTO' ? null : { row: {} };
      const after = verb === 'DELETE FROM' ? null : { row: {} };
      this.open.push({ table, before, after });
    }
    const change = this.open.at(-1);
    if (line === '### WHERE') this.half = change?.before ?? null;
    else if (line === '### SET') this.half = change?.after ?? null;
    else if (!event) this.readColumn(line, change);
  }

  private readColumn(line: string, change: Change | undefined): void {
    const value = VALUE.exec(line);
    if (!value || !change || !this.half) throw new Error(`not a line of a row: ${line.slice(0, 200)}`);
    const [, position, text = '', type = ''] = value;
    const column = this.source.columns[change.table]?.[Number(position) - 1];
    if (!column) throw new Error(`the table ${change.table} has no column ${position}`);
    this.half.row[column.name] = readValue({ text, type }, column, this.source.server);
  }

  private commit(): void {
    if (this.open.length > 0) {
      this.transaction += 1;
      const { transaction } = this;
      const committedAtMs = this.commitAtMs ?? this.eventAtMs;
      for (const { table, before, after } of this.open) {
        this.changes.push({
          transaction,
          committedAtMs,
          table,
          before: before?.row ?? null,
          after: after?.row ?? null,
        });
      }
    }
    this.open = [];
    this.half = null;
    this.commitAtMs = null;
  }
}

export async function readBinlog(
  lines: AsyncIterable<string> | Iterable<string>,
  source: BinlogSource,
): Promise<readonly RowChange[]> {
  const reader = new BinlogReader(source);
  for await (const line of lines) reader.read(line);
  return reader.changes;
}

/** The rows of one table after each of its changes, or before a deletion. */
export function imageOf({ before, after }: RowChange): Row {
  const image = after ?? before;
  if (!image) throw new Error('a change has at least one image of its row');
  return image;
}
