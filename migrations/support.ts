import type { MigrationInterface, QueryRunner } from 'typeorm';

/** An ALTER that cannot get the table's lock in this time gives up, instead of queueing the callers' orders behind it. */
const LOCK_WAIT_SECONDS_MAX = 3;

/** Our own tables compare byte by byte: keys, hashes and openids are case-sensitive. */
export const OWN_TABLE_OPTIONS = 'ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin';

type Collation = { charset: string; collation: string };
type IndexSpec = { name: string; columns: string[]; unique?: boolean; isHinted?: true };
type ExistingIndex = { name: string; columns: string[]; unique: boolean };

export abstract class ForwardOnlyMigration implements MigrationInterface {
  abstract up(queryRunner: QueryRunner): Promise<void>;

  async down(): Promise<void> {
    await Promise.reject(
      new Error(
        'These tables hold money and are not dropped by a migration: restore a backup, or write a new migration.',
      ),
    );
  }
}

export async function hasColumn(queryRunner: QueryRunner, table: string, column: string): Promise<boolean> {
  const rows = await select(
    queryRunner,
    `SELECT column_name AS name FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ?`,
    [table, column],
  );
  return rows.length > 0;
}

/** The collation of a text column, or undefined when there is no such column. */
export async function findCollation(
  queryRunner: QueryRunner,
  table: string,
  column: string,
): Promise<Collation | undefined> {
  const rows = await select<Collation>(
    queryRunner,
    `SELECT character_set_name AS charset, collation_name AS collation FROM information_schema.columns
     WHERE table_schema = DATABASE() AND table_name = ? AND column_name = ? AND collation_name IS NOT NULL`,
    [table, column],
  );
  return rows[0];
}

/** A column definition that compares with payment_orders.out_trade_no without conversion, so that a join uses the index. */
export async function orderNumberColumn(queryRunner: QueryRunner, column: string): Promise<string> {
  const found = await findCollation(queryRunner, 'payment_orders', 'out_trade_no');
  if (!found) throw new Error('payment_orders.out_trade_no is not a text column of this database.');
  return `${column} VARCHAR(100) CHARACTER SET ${found.charset} COLLATE ${found.collation} NOT NULL`;
}

/**
 * The options of a contract table that has to be created. Beside tables that exist already it takes their collation, so
 * that foreign keys and joins between old and new tables work; on an empty database it is what the contract says.
 */
export async function contractTableOptions(queryRunner: QueryRunner, comment: string): Promise<string> {
  const neighbour =
    (await findCollation(queryRunner, 'users', 'id')) ??
    (await findCollation(queryRunner, 'payment_orders', 'user_id')) ??
    (await findCollation(queryRunner, 'refunds', 'out_trade_no'));
  const collate = neighbour?.charset === 'utf8mb4' ? ` COLLATE=${neighbour.collation}` : '';
  return `ENGINE=InnoDB DEFAULT CHARSET=utf8mb4${collate} COMMENT='${comment}'`;
}

/** Adds what is absent with a single ALTER, which the server applies as a whole or not at all. */
export async function addMissingIndexes(
  queryRunner: QueryRunner,
  table: string,
  wanted: IndexSpec[],
): Promise<void> {
  const existing = await listIndexes(queryRunner, table);
  const missing = wanted.filter(
    (spec) => !existing.some((index) => serves(index, spec) && (!spec.isHinted || index.name === spec.name)),
  );
  if (missing.length === 0) return;
  for (const spec of missing) {
    if (spec.unique) await refuseDuplicates(queryRunner, table, spec);
  }
  const taken = new Set(existing.map((index) => index.name.toLowerCase()));
  const clauses = missing.map((spec) => {
    if (spec.isHinted && taken.has(spec.name)) {
      throw new Error(
        `${table} has an index ${spec.name} on other columns: rename it and run the migrations again.`,
      );
    }
    const name = taken.has(spec.name) ? `${spec.name}_wxpay` : spec.name;
    return `ADD ${spec.unique ? 'UNIQUE ' : ''}INDEX ${name} (${spec.columns.join(', ')})`;
  });
  await queryRunner.query(`SET SESSION lock_wait_timeout = ${LOCK_WAIT_SECONDS_MAX}`);
  try {
    await queryRunner.query(`ALTER TABLE ${table} ${clauses.join(', ')}`);
  } finally {
    await queryRunner.query('SET SESSION lock_wait_timeout = DEFAULT');
  }
}

/** A look-up is served by any index that begins with its columns; uniqueness only by a unique index on exactly these. */
function serves(index: ExistingIndex, spec: IndexSpec): boolean {
  if (spec.unique && (!index.unique || index.columns.length !== spec.columns.length)) return false;
  return spec.columns.every((column, position) => index.columns[position] === column);
}

async function listIndexes(queryRunner: QueryRunner, table: string): Promise<ExistingIndex[]> {
  type Part = {
    name: string;
    columnName: string | null;
    prefixLength: number | string | null;
    nonUnique: number | string;
  };
  const parts = await select<Part>(
    queryRunner,
    `SELECT index_name AS name, column_name AS columnName, sub_part AS prefixLength, non_unique AS nonUnique
     FROM information_schema.statistics
     WHERE table_schema = DATABASE() AND table_name = ? AND index_type = 'BTREE'
     ORDER BY index_name, seq_in_index`,
    [table],
  );
  const indexes = new Map<string, ExistingIndex>();
  for (const part of parts) {
    const index = indexes.get(part.name) ?? {
      name: part.name,
      columns: [],
      unique: Number(part.nonUnique) === 0,
    };
    // A part on an expression or on the first characters of a column does not stand for the column.
    index.columns.push(
      part.columnName !== null && part.prefixLength === null ? part.columnName.toLowerCase() : '',
    );
    indexes.set(part.name, index);
  }
  return [...indexes.values()];
}

async function refuseDuplicates(queryRunner: QueryRunner, table: string, spec: IndexSpec): Promise<void> {
  const columns = spec.columns.join(', ');
  const present = spec.columns.map((column) => `${column} IS NOT NULL`).join(' AND ');
  const duplicates = await select(
    queryRunner,
    `SELECT ${columns} FROM ${table} WHERE ${present} GROUP BY ${columns} HAVING COUNT(*) > 1 LIMIT 1`,
  );
  if (duplicates.length === 0) return;
  throw new Error(
    `${table} has several rows with the same ${columns}, which the contract forbids: ` +
      `find them with SELECT ${columns}, COUNT(*) FROM ${table} GROUP BY ${columns} HAVING COUNT(*) > 1, ` +
      'keep the right row of each, and run the migrations again.',
  );
}

async function select<Row = { name: string }>(
  queryRunner: QueryRunner,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return (await queryRunner.query(sql, values)) as Row[];
}
