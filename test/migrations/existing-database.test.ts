import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MIGRATIONS } from '../../src/platform/database/migrations.js';
import { contractDdl } from '../support/contract-ddl.js';
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
} from './migration-database.js';

type GrantRow = Record<string, unknown>;

const GRANTS_SQL = `SELECT out_trade_no AS outTradeNo, entry, user_id AS userId, package_type AS packageType,
  regenerate_delta AS regenerateDelta, origin, transaction_id AS transactionId, granted_by AS grantedBy
  FROM entitlement_grants ORDER BY out_trade_no, id`;

const FULFILLED_EARLIER = {
  entry: 'grant',
  userId: 'user-1',
  regenerateDelta: 0,
  origin: 'fulfilled_earlier',
  transactionId: null,
  grantedBy: 'system:migration',
};

const GRANTS_EXPECTED: GrantRow[] = [
  { outTradeNo: '170634567890123451', packageType: 'basic', ...FULFILLED_EARLIER },
  { outTradeNo: '170634567890123452', packageType: 'premium', ...FULFILLED_EARLIER },
  { outTradeNo: '170634567890123453', packageType: 'premium', ...FULFILLED_EARLIER },
  { outTradeNo: '170634567890123453', packageType: 'premium', ...FULFILLED_EARLIER, entry: 'revocation' },
];

describe("migrations on a database made by the contract's DDL", () => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await createTestDatabase();
  });
  afterEach(() => database.drop());

  const readRows = (table: ContractTable) => database.query(`SELECT * FROM ${table} ORDER BY id`);

  it('record paid orders as fulfilled earlier and refunded ones as revoked, once each, and no others', async () => {
    await createContractTables(database);
    await insertOrdersOfEveryState(database);
    await migrate(database);
    expect(await database.query<GrantRow>(GRANTS_SQL)).toEqual(GRANTS_EXPECTED);
  });

  it('leave users, orders, refunds and logs as they were, row for row and column for column', async () => {
    await createContractTables(database);
    await insertOrdersOfEveryState(database);
    await database.query(
      `INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, status)
       VALUES ('refund-1', 'R1', '170634567890123453', 29.90, 29.90, 'success')`,
    );
    await database.query(
      `INSERT INTO payment_logs (id, type, request_data) VALUES ('log-1', 'order_create', '{"a":1}')`,
    );
    const before = await Promise.all(CONTRACT_TABLES.map((table) => describeColumns(database, table)));
    const rowsBefore = await Promise.all(CONTRACT_TABLES.map(readRows));
    await migrate(database);
    expect(await Promise.all(CONTRACT_TABLES.map((table) => describeColumns(database, table)))).toEqual(
      before,
    );
    expect(await Promise.all(CONTRACT_TABLES.map(readRows))).toEqual(rowsBefore);
  });

  it('leave no drift', async () => {
    await createContractTables(database);
    await migrate(database);
    expect(await listDrift(database)).toEqual([]);
  });

  it('differ in TIMESTAMP columns only where an old server made those NOT NULL', async () => {
    const connection = await database.connect();
    try {
      await connection.query('SET SESSION explicit_defaults_for_timestamp = OFF');
      await connection.query("SET SESSION sql_mode = ''");
      for (const table of CONTRACT_TABLES) await connection.query(contractDdl(table));
    } finally {
      await connection.end();
    }
    const before = await describeColumns(database, 'users');
    expect(before.find((column) => column.name === 'last_login_at')).toMatchObject({ nullable: 'NO' });
    await migrate(database);
    expect(await describeColumns(database, 'users')).toEqual(before);
    const drift = await listDrift(database);
    // A change of a column would rebuild our indexes on it: that is no difference of its own.
    const ours = Object.values(OUR_INDEXES)
      .flat()
      .map((index) => index.split(':')[0]);
    const statements = drift.filter(
      (statement) => !ours.includes(/^(?:DROP|CREATE) INDEX `(\w+)` /.exec(statement)?.[1]),
    );
    const changed = statements.map(
      (statement) => /^ALTER TABLE `(\w+)` CHANGE `(\w+)` /.exec(statement)?.slice(1).join('.') ?? statement,
    );
    expect(changed.sort()).toEqual([
      'payment_logs.created_at',
      'payment_orders.created_at',
      'payment_orders.updated_at',
      'refunds.created_at',
      'refunds.updated_at',
      'users.created_at',
      'users.last_login_at',
      'users.updated_at',
    ]);
  });

  it('count an order with a package type the old server stored as empty as free', async () => {
    await createContractTables(database);
    await insertOrdersOfEveryState(database);
    const connection = await database.connect();
    await connection.query("SET SESSION sql_mode = ''");
    await connection.query("UPDATE payment_orders SET package_type = 'gold' WHERE id = 'order-1'");
    await connection.end();
    await migrate(database);
    const [grant] = await database.query<GrantRow>(GRANTS_SQL);
    expect(grant).toEqual({ outTradeNo: '170634567890123451', packageType: 'free', ...FULFILLED_EARLIER });
  });

  it('leave prices alone that are there already', async () => {
    const seedPosition = MIGRATIONS.findIndex((migration) => migration.name.startsWith('SeedPriceConfigs'));
    expect(seedPosition).toBeGreaterThan(0);
    await migrate(database, MIGRATIONS.slice(0, seedPosition));
    await database.query(
      "INSERT INTO price_configs (package_type, amount_fen, effective_at, author) VALUES ('basic', 5, '2026-02-01', 'amy')",
    );
    await migrate(database);
    expect(await database.query('SELECT amount_fen AS amountFen FROM price_configs')).toEqual([
      { amountFen: 5 },
    ]);
  });
});

describe.each(['utf8mb4_general_ci', 'utf8mb4_unicode_ci', 'utf8mb4_bin'])(
  'payment_orders in %s',
  (collation) => {
    let database: TestDatabase;

    beforeEach(async () => {
      database = await createTestDatabase();
      await createContractTables(database, CONTRACT_TABLES, collation);
      await insertOrdersOfEveryState(database);
      await migrate(database);
    });
    afterEach(() => database.drop());

    it('is joined with the ledger and the exceptions by their index', async () => {
      await database.query(
        `INSERT INTO payment_orders (id, user_id, generation_id, out_trade_no, amount, package_type, status)
       VALUES ('order-new', 'user-1', 'user-1', '170634567890199999', 0.01, 'basic', 'paid')`,
      );
      const sweep = `SELECT o.id AS id FROM payment_orders o
      LEFT JOIN entitlement_grants g ON g.out_trade_no = o.out_trade_no AND g.entry = 'grant'
      LEFT JOIN exceptions e ON e.kind = 'held' AND e.subject = o.out_trade_no
      WHERE o.status = 'paid' AND g.id IS NULL AND e.id IS NULL`;
      expect(await database.query(sweep)).toEqual([{ id: 'order-new' }]);
      const plan = await database.query<{ table: string; key: string | null; ref: string | null }>(
        `EXPLAIN FORMAT=TRADITIONAL ${sweep}`,
      );
      const used = Object.fromEntries(plan.map((step) => [step.table, [step.key, step.ref]]));
      const orderNumber = expect.stringMatching(/o\.out_trade_no/) as string;
      expect(used.g).toEqual(['uq_entitlement_grants_order_entry', orderNumber]);
      expect(used.e).toEqual(['uq_exceptions_kind_subject', orderNumber]);
    });

    it('is found from the ledger by its unique index', async () => {
      // With another collation in the ledger MySQL would have to read every order.
      const [, step] = await database.query<{ type: string; key: string | null }>(
        `EXPLAIN FORMAT=TRADITIONAL SELECT STRAIGHT_JOIN o.id FROM entitlement_grants g FORCE INDEX (idx_entitlement_grants_user)
       JOIN payment_orders o ON o.out_trade_no = g.out_trade_no WHERE g.user_id = 'user-1'`,
      );
      expect(step).toMatchObject({ type: 'eq_ref', key: 'out_trade_no' });
    });

    it('shares its collation with the tables that are created beside it', async () => {
      const [column] = (await describeColumns(database, 'entitlement_grants')).filter(
        (c) => c.name === 'out_trade_no',
      );
      expect(column).toMatchObject({ charset: 'utf8mb4', collation, nullable: 'NO' });
      const [generationUser] = (await describeColumns(database, 'generation_history')).filter(
        (c) => c.name === 'user_id',
      );
      expect(generationUser).toMatchObject({ collation });
      expect(await listIndexes(database, 'payment_orders')).toContain(
        'idx_payment_orders_status_updated: status,updated_at',
      );
    });
  },
);
