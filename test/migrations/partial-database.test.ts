import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordOrdersFulfilledEarlier2026112300027 } from '../../migrations/2026112327-record-orders-fulfilled-earlier.js';
import { MIGRATIONS } from '../../src/platform/database/migrations.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import {
  CONTRACT_TABLES,
  OUR_INDEXES,
  type ContractTable,
  createContractTables,
  describeColumns,
  insertOrdersOfEveryState,
  listDrift,
  listIndexes,
  migrate,
  withDataSource,
} from './migration-database.js';

let database: TestDatabase;

beforeEach(async () => {
  database = await createTestDatabase();
});
afterEach(() => database.drop());

describe('migrations on a database that lacks tables', () => {
  const present: ContractTable[][] = [
    ['users'],
    ['users', 'payment_orders'],
    ['refunds', 'payment_logs'],
    ['users', 'payment_orders', 'refunds'],
    ['users', 'payment_orders', 'payment_logs'],
  ];

  it.each(present.map((tables) => [tables.join(', '), tables] as const))(
    'complete one that has only %s',
    async (_, tables) => {
      await createContractTables(database, tables);
      await migrate(database);
      expect(await listDrift(database)).toEqual([]);
    },
  );

  it('create orders beside users of another collation, foreign key included', async () => {
    await createContractTables(database, ['users'], 'utf8mb4_unicode_520_ci');
    await migrate(database);
    await insertOrdersOfEveryState(database);
    const orders = await describeColumns(database, 'payment_orders');
    expect(orders.find((column) => column.name === 'user_id')).toMatchObject({
      collation: 'utf8mb4_unicode_520_ci',
    });
    expect(await listDrift(database)).toEqual([]);
  });

  it('create orders beside users of an older character set, and still hold Chinese remarks', async () => {
    await createContractTables(database, ['users']);
    await database.query('ALTER TABLE users CONVERT TO CHARACTER SET latin1 COLLATE latin1_bin');
    await migrate(database);
    await insertOrdersOfEveryState(database);
    await database.query("UPDATE payment_orders SET remark = '尊享包🎁' WHERE id = 'order-1'");
    const rows = await database.query("SELECT remark FROM payment_orders WHERE id = 'order-1'");
    expect(rows).toEqual([{ remark: '尊享包🎁' }]);
  });

  it('add to generation_history the columns that are absent, and keep those that are there', async () => {
    await database.query(`CREATE TABLE generation_history (id VARCHAR(36) PRIMARY KEY, user_id VARCHAR(36) NOT NULL,
      task_ids JSON, original_image_urls JSON, template_url TEXT, generated_image_urls JSON, selected_image_url TEXT,
      status ENUM('pending','processing','completed','failed') DEFAULT 'pending', unlocked_at TIMESTAMP NULL,
      created_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP,
      updated_at TIMESTAMP NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)
      ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='生成历史表'`);
    await database.query(
      "INSERT INTO generation_history (id, user_id, unlocked_at) VALUES ('gen-1', 'user-1', '2026-01-02 03:04:05')",
    );
    await migrate(database);
    const rows = await database.query(
      'SELECT unlocked_at AS unlockedAt, package_type AS packageType, unlocked_by_order_id AS orderId FROM generation_history',
    );
    expect(rows).toEqual([
      { unlockedAt: new Date('2026-01-02T03:04:05Z'), packageType: null, orderId: null },
    ]);
    expect(await listIndexes(database, 'generation_history')).toEqual([
      'idx_generation_history_created_at: created_at',
      'idx_user_id: user_id',
      'unique PRIMARY: id',
    ]);
    expect(await listDrift(database)).toEqual([]);
  });
});

describe('migrations on a database that lacks indexes', () => {
  it("add the contract's indexes that are absent", async () => {
    await createContractTables(database);
    const complete = await Promise.all(CONTRACT_TABLES.map((table) => listIndexes(database, table)));
    await database.query(
      'ALTER TABLE users DROP INDEX openid, DROP INDEX idx_openid, DROP INDEX idx_payment_status',
    );
    await database.query('ALTER TABLE payment_orders DROP INDEX out_trade_no, DROP INDEX idx_status');
    await database.query('ALTER TABLE refunds DROP INDEX out_refund_no, DROP INDEX idx_out_trade_no');
    await database.query('ALTER TABLE payment_logs DROP INDEX idx_created_at');
    await insertOrdersOfEveryState(database);
    await migrate(database);
    const after = await Promise.all(CONTRACT_TABLES.map((table) => listIndexes(database, table)));
    const ours = Object.values(OUR_INDEXES).flat();
    expect(after.map((indexes) => indexes.filter((index) => !ours.includes(index)))).toEqual(complete);
    expect(after.flat()).toEqual(expect.arrayContaining(ours));
    expect(await listDrift(database)).toEqual([]);
  });

  // The sweep's statements name two indexes: without just these names they would fail, on every tick.
  it('judge an index by its columns, and by its name only where statements name it', async () => {
    await createContractTables(database);
    await database.query(
      `ALTER TABLE payment_orders DROP INDEX out_trade_no, DROP INDEX idx_out_trade_no, DROP INDEX idx_status,
       DROP INDEX idx_trade_type, DROP INDEX idx_transaction_id,
       ADD UNIQUE INDEX uk_trade (out_trade_no), ADD INDEX by_status (status, created_at),
       ADD INDEX idx_trade_type (amount), ADD INDEX short_transaction (transaction_id(10))`,
    );
    await migrate(database);
    expect(await listIndexes(database, 'payment_orders')).toEqual([
      'by_status: status,created_at',
      'idx_payment_orders_created: created_at',
      'idx_payment_orders_paid: paid_at',
      'idx_payment_orders_status_created: status,created_at',
      'idx_payment_orders_status_updated: status,updated_at',
      'idx_payment_orders_user_created: user_id,created_at',
      'idx_status: status',
      'idx_trade_type: amount',
      'idx_trade_type_wxpay: trade_type',
      'idx_transaction_id: transaction_id',
      'idx_user_id: user_id',
      'short_transaction: transaction_id',
      'unique PRIMARY: id',
      'unique uk_trade: out_trade_no',
    ]);
  });

  it('add neither the foreign key nor columns to an existing payment_orders', async () => {
    await createContractTables(database, ['users', 'payment_orders']);
    await database.query('ALTER TABLE payment_orders DROP FOREIGN KEY payment_orders_ibfk_1');
    await database.query(
      `INSERT INTO payment_orders (id, user_id, generation_id, out_trade_no, amount, package_type, status)
       VALUES ('order-x', 'nobody', 'nobody', '170634567890188888', 0.00, 'basic', 'paid')`,
    );
    const columns = await describeColumns(database, 'payment_orders');
    await migrate(database);
    expect(await describeColumns(database, 'payment_orders')).toEqual(columns);
    const keys = await database.query(
      `SELECT constraint_name FROM information_schema.referential_constraints
       WHERE constraint_schema = DATABASE() AND table_name = 'payment_orders'`,
    );
    expect(keys).toEqual([]);
    const grants = await database.query('SELECT user_id AS userId, origin FROM entitlement_grants');
    expect(grants).toEqual([{ userId: 'nobody', origin: 'fulfilled_earlier' }]);
  });

  it('stop with a sentence when order numbers that must be unique are not, and go on once they are', async () => {
    await createContractTables(database);
    await insertOrdersOfEveryState(database);
    await database.query('ALTER TABLE payment_orders DROP INDEX out_trade_no');
    await database.query(
      "UPDATE payment_orders SET out_trade_no = '170634567890123451' WHERE id = 'order-4'",
    );
    await expect(migrate(database)).rejects.toThrow(
      /payment_orders has several rows with the same out_trade_no/,
    );
    await database.query(
      "UPDATE payment_orders SET out_trade_no = '170634567890123454' WHERE id = 'order-4'",
    );
    await migrate(database);
    expect(await listDrift(database)).toEqual([]);
  });

  it('give up when a caller holds the table for long, instead of queueing the callers behind the ALTER', async () => {
    // An ALTER that waits for its lock makes every later statement on the table wait too.
    await createContractTables(database);
    const position = MIGRATIONS.findIndex((migration) => migration.name.startsWith('IndexPaymentOrders'));
    await migrate(database, MIGRATIONS.slice(0, position));
    const caller = await database.connect();
    try {
      await caller.beginTransaction();
      await caller.query('SELECT COUNT(*) FROM payment_orders');
      const startedMs = performance.now();
      await expect(migrate(database)).rejects.toMatchObject({ errno: 1205 });
      expect(performance.now() - startedMs).toBeLessThan(10_000);
      await caller.rollback();
    } finally {
      await caller.end();
    }
    await migrate(database);
    expect(await listDrift(database)).toEqual([]);
  });
});

describe('migrations that are interrupted', () => {
  it.each(MIGRATIONS.map((migration, position) => [migration.name, position + 1] as const))(
    'continue after %s',
    async (_name, count) => {
      await createContractTables(database, ['users', 'payment_orders']);
      await insertOrdersOfEveryState(database);
      await migrate(database, MIGRATIONS.slice(0, count));
      expect(await migrate(database)).toHaveLength(MIGRATIONS.length - count);
      await expectComplete();
    },
  );

  it('run all again when the server died before any of them was noted as done', async () => {
    await createContractTables(database);
    await insertOrdersOfEveryState(database);
    await migrate(database);
    const before = await database.query('SELECT * FROM entitlement_grants ORDER BY id');
    await database.query('DELETE FROM migrations');
    expect(await migrate(database)).toHaveLength(MIGRATIONS.length);
    expect(await database.query('SELECT * FROM entitlement_grants ORDER BY id')).toEqual(before);
    await expectComplete();
  });

  it('never record an order as fulfilled earlier that this backend has granted', async () => {
    await createContractTables(database);
    await insertOrdersOfEveryState(database);
    await migrate(
      database,
      MIGRATIONS.slice(0, MIGRATIONS.indexOf(RecordOrdersFulfilledEarlier2026112300027)),
    );
    await database.query(
      `INSERT INTO entitlement_grants (out_trade_no, user_id, package_type, regenerate_delta, origin, granted_by)
       VALUES ('170634567890123451', 'user-1', 'basic', 5, 'payment', 'system')`,
    );
    await migrate(database);
    const rows = await database.query('SELECT origin FROM entitlement_grants WHERE entry = ? ORDER BY id', [
      'grant',
    ]);
    expect(rows.map((row) => row.origin)).toEqual(['payment', 'fulfilled_earlier', 'fulfilled_earlier']);
  });

  async function expectComplete(): Promise<void> {
    expect(await listDrift(database)).toEqual([]);
    const [counts] = await database.query<Record<string, unknown>>(
      `SELECT (SELECT COUNT(*) FROM entitlement_grants) AS grants, (SELECT COUNT(*) FROM price_configs) AS prices,
        (SELECT COUNT(*) FROM payment_orders) AS orders, (SELECT regenerate_count FROM users) AS regenerateCount`,
    );
    expect(Object.values(counts ?? {}).map(Number)).toEqual([4, 2, 6, 23]);
    const noted = await withDataSource(database, (dataSource) => dataSource.showMigrations());
    expect(noted).toBe(false);
  }
});
