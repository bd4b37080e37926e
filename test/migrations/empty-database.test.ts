import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/platform/database/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  CONTRACT_TABLES,
  createContractTables,
  OUR_INDEXES,
  describeColumns,
  ENTITIES,
  listDrift,
  listIndexes,
  listTables,
  migrate,
  withDataSource,
} from './migration-database.js';

describe('migrations on an empty database', () => {
  let database: TestDatabase;
  let ran: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
    ran = await migrate(database);
  });
  afterAll(() => database.drop());

  it('run every migration in the order of the list', () => {
    expect(ran).toEqual(MIGRATIONS.map((migration) => migration.name));
  });

  it('make exactly the tables the entities describe', async () => {
    const described = await withDataSource(database, (dataSource) =>
      Promise.resolve(dataSource.entityMetadatas.map((metadata) => metadata.tableName)),
    );
    expect(described).toHaveLength(ENTITIES.length);
    expect((await listTables(database)).sort()).toEqual([...described, 'migrations'].sort());
  });

  it('leave no drift between entities and tables', async () => {
    expect(await listDrift(database)).toEqual([]);
  });

  it('notice drift when a column, a default, an index or the foreign key differs', async () => {
    // Without this the test above could pass because the comparison sees nothing at all.
    const other = await createTestDatabase();
    try {
      await migrate(other);
      await other.query('ALTER TABLE refunds DROP COLUMN reason');
      await other.query('ALTER TABLE users ALTER COLUMN regenerate_count SET DEFAULT 4');
      await other.query('ALTER TABLE exceptions DROP INDEX idx_exceptions_status');
      await other.query('ALTER TABLE payment_orders DROP FOREIGN KEY payment_orders_ibfk_1');
      const drift = (await listDrift(other)).join('\n');
      for (const part of ['reason', 'regenerate_count', 'idx_exceptions_status', 'payment_orders_ibfk_1']) {
        expect(drift).toContain(part);
      }
    } finally {
      await other.drop();
    }
  });

  it("make the contract's tables column for column and index for index as its own DDL does", async () => {
    const shop = await createTestDatabase();
    try {
      await createContractTables(shop);
      for (const table of CONTRACT_TABLES) {
        expect(await describeColumns(database, table), table).toEqual(await describeColumns(shop, table));
        const ours = await listIndexes(database, table);
        const added = OUR_INDEXES[table] ?? [];
        expect(ours, table).toEqual([...(await listIndexes(shop, table)), ...added].sort());
      }
    } finally {
      await shop.drop();
    }
  });

  it('keep last_login_at as it was when a user is updated', async () => {
    await database.query(
      "INSERT INTO users (id, last_login_at) VALUES ('user-login', '2026-01-01 00:00:00'), ('user-never', NULL)",
    );
    await database.query("UPDATE users SET nickname = 'x' WHERE id IN ('user-login', 'user-never')");
    const rows = await database.query<{ at: Date | null }>(
      "SELECT last_login_at AS at FROM users WHERE id IN ('user-login', 'user-never') ORDER BY id",
    );
    expect(rows.map((row) => row.at)).toEqual([new Date('2026-01-01T00:00:00Z'), null]);
  });

  it("seed the contract's prices, in force since its date", async () => {
    const rows = await database.query(
      `SELECT package_type AS packageType, amount_fen AS amountFen, effective_at AS effectiveAt, author, created_at AS createdAt,
         cancelled_at AS cancelledAt FROM price_configs ORDER BY package_type`,
    );
    const common = {
      effectiveAt: new Date('2026-01-27T00:00:00Z'),
      author: 'system:migration',
      createdAt: new Date('2026-01-26T10:30:00Z'),
      cancelledAt: null,
    };
    expect(rows).toEqual([
      { packageType: 'basic', amountFen: 1, ...common },
      { packageType: 'premium', amountFen: 2990, ...common },
    ]);
  });

  it('run nothing the second time', async () => {
    expect(await migrate(database)).toEqual([]);
  });

  it('compare keys of our own tables byte by byte', async () => {
    const insert = 'INSERT INTO outbox_messages (topic, message_key, payload) VALUES (?, ?, ?)';
    await database.query(insert, ['t', 'paid:oAbC', '{}']);
    await database.query(insert, ['t', 'paid:oabc', '{}']);
    await expect(database.query(insert, ['t', 'paid:oabc', '{}'])).rejects.toMatchObject({ errno: 1062 });
  });

  it('are not undone: the tables hold money', async () => {
    const undo = withDataSource(database, (dataSource) => dataSource.undoLastMigration());
    await expect(undo).rejects.toThrow(/hold money/);
    expect(await listTables(database)).toContain('payment_orders');
  });
});
