import { DataSource } from 'typeorm';
import { AdminToken } from '../../src/admin/admin-token.entity.js';
import { Generation } from '../../src/generations/generation.entity.js';
import { GreetingCard } from '../../src/greeting-cards/greeting-card.entity.js';
import { OrderQuery } from '../../src/payments/order-query.entity.js';
import { PaymentLog } from '../../src/payments/payment-log.entity.js';
import { PaymentOrder } from '../../src/payments/payment-order.entity.js';
import { AuditLog } from '../../src/platform/audit/audit-log.entity.js';
import { MIGRATIONS } from '../../src/platform/database/migrations.js';
import { ExceptionItem } from '../../src/platform/exceptions/exception.entity.js';
import { InboxMessage } from '../../src/platform/inbox/inbox-message.entity.js';
import { JobLease } from '../../src/platform/jobs/job-lease.entity.js';
import { ErrorLog } from '../../src/platform/logging/error-log.entity.js';
import { OutboxMessage } from '../../src/platform/outbox/outbox-message.entity.js';
import { PriceConfig } from '../../src/prices/price-config.entity.js';
import { ProductOrderBatchItem } from '../../src/products/product-order-batch-item.entity.js';
import { ProductOrder } from '../../src/products/product-order.entity.js';
import { BillCheck } from '../../src/reconciliation/bill-check.entity.js';
import { RefundSettlement } from '../../src/refunds/refund-settlement.entity.js';
import { Refund } from '../../src/refunds/refund.entity.js';
import { EntitlementGrant } from '../../src/users/entitlement-grant.entity.js';
import { User } from '../../src/users/user.entity.js';
import { CONTRACT_DDL, contractDdl } from '../support/contract-ddl.js';
import type { TestDatabase } from '../support/database.js';

export const ENTITIES = [
  User,
  PaymentOrder,
  Refund,
  PaymentLog,
  OrderQuery,
  Generation,
  ProductOrder,
  ProductOrderBatchItem,
  GreetingCard,
  ErrorLog,
  InboxMessage,
  EntitlementGrant,
  PriceConfig,
  OutboxMessage,
  JobLease,
  AdminToken,
  AuditLog,
  ExceptionItem,
  RefundSettlement,
  BillCheck,
];

export type ContractTable = keyof typeof CONTRACT_DDL;
export const CONTRACT_TABLES = Object.keys(CONTRACT_DDL) as ContractTable[];

/** What sweeps and listings read by, beside the contract's own indexes, as `listIndexes` tells them. */
export const OUR_INDEXES: Partial<Record<ContractTable, string[]>> = {
  payment_orders: [
    'idx_payment_orders_created: created_at',
    'idx_payment_orders_paid: paid_at',
    'idx_payment_orders_status_created: status,created_at',
    'idx_payment_orders_status_updated: status,updated_at',
    'idx_payment_orders_user_created: user_id,created_at',
  ],
  users: ['idx_users_phone: phone'],
  refunds: [
    'idx_refunds_created_at: created_at,id',
    'idx_refunds_refunded_at: refunded_at',
    'idx_refunds_updated_at: updated_at',
  ],
};

type Use<Result> = (dataSource: DataSource) => Promise<Result>;

/** Opens a data source as the application does, with every migration or only the first ones, and closes it again. */
export async function withDataSource<Result>(
  database: TestDatabase,
  use: Use<Result>,
  migrations: typeof MIGRATIONS = MIGRATIONS,
): Promise<Result> {
  const dataSource = new DataSource({
    type: database.server,
    host: database.env.DB_HOST,
    port: Number(database.env.DB_PORT),
    username: database.env.DB_USER,
    password: database.env.DB_PASSWORD,
    database: database.env.DB_NAME,
    entities: ENTITIES,
    migrations,
    migrationsTransactionMode: 'each',
    synchronize: false,
    timezone: 'Z',
    supportBigNumbers: true,
    bigNumberStrings: true,
    isolationLevel: 'READ COMMITTED',
    // One connection, so that the session settings below hold for every statement.
    poolSize: 1,
  });
  await dataSource.initialize();
  try {
    await dataSource.query(
      "SET time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO'",
    );
    return await use(dataSource);
  } finally {
    await dataSource.destroy();
  }
}

/** Runs what is pending and returns the names of the migrations that ran. */
export async function migrate(database: TestDatabase, migrations?: typeof MIGRATIONS): Promise<string[]> {
  const run = await withDataSource(database, (dataSource) => dataSource.runMigrations(), migrations);
  return run.map((migration) => migration.name);
}

/** The statements that would make the tables what the entities say: none when the two agree. */
export async function listDrift(database: TestDatabase): Promise<string[]> {
  const log = await withDataSource(database, (dataSource) => dataSource.driver.createSchemaBuilder().log());
  return log.upQueries.map((query) => query.query);
}

export async function createContractTables(
  database: TestDatabase,
  tables: ContractTable[] = CONTRACT_TABLES,
  collation?: string,
): Promise<void> {
  for (const table of tables) await database.query(contractDdl(table, collation));
}

export async function listTables(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()',
  );
  // Sorted here: servers differ in where an underscore stands.
  return rows.map((row) => row.name).sort();
}

/** Everything the server knows of a table's columns, to compare before and after. */
export async function describeColumns(
  database: TestDatabase,
  table: string,
): Promise<Record<string, unknown>[]> {
  return database.query(
    `SELECT column_name AS name, ordinal_position AS position, column_type AS type, is_nullable AS nullable,
       column_default AS defaultValue, extra AS extra, character_set_name AS charset, collation_name AS collation,
       column_comment AS comment
     FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position`,
    [table],
  );
}

/** A table's indexes as `name: columns`, with a leading `unique` where it is so. */
export async function listIndexes(database: TestDatabase, table: string): Promise<string[]> {
  const rows = await database.query<{ name: string; columns: string; nonUnique: number | string }>(
    `SELECT index_name AS name, GROUP_CONCAT(column_name ORDER BY seq_in_index) AS columns, MAX(non_unique) AS nonUnique
     FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = ?
     GROUP BY index_name`,
    [table],
  );
  return rows
    .map((row) => `${Number(row.nonUnique) === 0 ? 'unique ' : ''}${row.name}: ${row.columns}`)
    .sort();
}

/** One user and six orders: paid twice, refunded, pending, failed, and one whose status is NULL. */
export async function insertOrdersOfEveryState(database: TestDatabase): Promise<void> {
  await database.query(
    `INSERT INTO users (id, openid, payment_status, regenerate_count) VALUES ('user-1', 'oAbC', 'premium', 23)`,
  );
  const order = `INSERT INTO payment_orders
    (id, user_id, generation_id, out_trade_no, transaction_id, amount, package_type, status, created_at, updated_at)
    VALUES (?, 'user-1', 'user-1', ?, ?, ?, ?, ?, '2026-01-05 00:00:00', '2026-01-06 00:00:00')`;
  const rows: [string, string, string | null][] = [
    ['0.01', 'basic', 'paid'],
    ['29.90', 'premium', 'paid'],
    ['29.90', 'premium', 'refunded'],
    ['0.01', 'basic', 'pending'],
    ['0.01', 'basic', 'failed'],
    ['0.01', 'basic', null],
  ];
  for (const [position, [amount, packageType, status]] of rows.entries()) {
    const number = `17063456789012345${position + 1}`;
    await database.query(order, [
      `order-${position + 1}`,
      number,
      `42000${position + 1}`,
      amount,
      packageType,
      status,
    ]);
  }
}
