import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { UsualPaymentsService } from '../../../src/payments/usual-payments.service.js';
import { InboxDrainService } from '../../../src/platform/inbox/inbox-drain.service.js';
import { InboxRepository } from '../../../src/platform/inbox/inbox.repository.js';
import { placeholderUserId } from '../../../src/shared/ids.js';
import type { OutTradeNo } from '../../../src/shared/ids.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.ts';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';

/*
 * Messages that are applied together must leave what they would have left one after the other: any set of orders in any
 * state, and any messages about them, here on two databases, one of which gets the messages one by one.
 */

const RUNS = 40;
const ORDERS_MAX = 8;
const MESSAGES_MAX = 14;
const USERS = ['user-a', 'user-b', 'user-c'];
const GENERATIONS = ['gen-1', 'gen-2'];
const TRANSACTIONS = ['4200-1', '4200-2', '4200-3'];
const SEEN_AT_MS = Date.UTC(2026, 9, 1, 12);
const CREATED_AT = new Date(Date.UTC(2026, 9, 1, 11, 59));

/** Everything an effect can show in, without what depends on when it happened or on the order of rows. */
const SHOWN: Readonly<Record<string, string>> = {
  payment_orders:
    'id, user_id, generation_id, out_trade_no, transaction_id, amount, package_type, trade_type, status, paid_at, _openid',
  users: 'id, openid, unionid, payment_status, regenerate_count, last_login_at',
  entitlement_grants:
    'out_trade_no, entry, user_id, package_type, regenerate_delta, origin, transaction_id, reason, granted_by',
  outbox_messages: 'topic, channel, message_key, CAST(payload AS CHAR) AS payload, status',
  exceptions: 'kind, subject, reason, status, resolved_by, resolution',
  generation_history: 'id, user_id, package_type, unlocked_at IS NULL AS locked, unlocked_by_order_id',
  audit_logs: 'actor, action, target_id, reason',
  order_queries: 'out_trade_no, asks',
  inbox_messages: 'dedupe_key, status, outcome, attempts, last_error',
};

const orderPart = fc.record({
  user: fc.constantFrom(...USERS, 'nobody'),
  packageType: fc.constantFrom('basic', 'premium', 'premium', 'free'),
  amount: fc.constantFrom('0.01', '29.90', '29.90', '5.00'),
  status: fc.constantFrom('pending', 'pending', 'paid', 'paid', 'failed', 'refunded'),
  transaction: fc.constantFrom(null, null, '', 'number', ...TRANSACTIONS),
  generation: fc.constantFrom('user', 'user', ...GENERATIONS),
  isRescued: fc.boolean(),
  before: fc.constantFrom(
    'nothing',
    'nothing',
    'nothing',
    'granted',
    'revoked',
    'refunded',
    'closed',
    'held',
    'dismissed',
  ),
});
const noticePart = fc.record({
  order: fc.integer({ min: 0, max: ORDERS_MAX }), // the last one is nobody's
  transaction: fc.constantFrom(null, 'own', 'own', 'own', ...TRANSACTIONS),
  generation: fc.constantFrom(null, null, 'user-a', ...GENERATIONS),
  status: fc.constantFrom('paid', 'paid', 'paid', 'paid', 'closed'),
  openid: fc.constantFrom(null, 'oPayer'),
});
type OrderPart = typeof orderPart extends fc.Arbitrary<infer Part> ? Part : never;
type NoticePart = typeof noticePart extends fc.Arbitrary<infer Part> ? Part : never;

const numberOf = (index: number) => `17900000000000${String(index).padStart(4, '0')}` as OutTradeNo;

function orderValues(part: OrderPart, index: number): unknown[] {
  const number = numberOf(index);
  const userId = part.user === 'nobody' ? placeholderUserId(number) : part.user;
  return [
    part.isRescued ? `order-${number}` : `order-1790000000000-${index}x`,
    userId,
    part.generation === 'user' ? userId : part.generation,
    number,
    part.transaction === 'number' ? number : part.transaction,
    part.amount,
    part.packageType,
    part.status,
    CREATED_AT,
  ];
}

async function empty(database: TestDatabase): Promise<void> {
  for (const table of [...Object.keys(SHOWN), 'refunds'].sort((a) => (a === 'users' ? 1 : -1)))
    await database.query(`DELETE FROM ${table}`);
}

/** What was there before any of the messages came. */
async function fill(database: TestDatabase, orders: readonly OrderPart[]): Promise<void> {
  const users = [...USERS, ...orders.map((_, index) => placeholderUserId(numberOf(index)))];
  await database.query('INSERT INTO users (id) VALUES ?', [users.map((id) => [id])]);
  await database.query('INSERT INTO generation_history (id, user_id) VALUES ?', [
    GENERATIONS.map((id, index) => [id, USERS[index]]),
  ]);
  await database.query(
    `INSERT INTO payment_orders
       (id, user_id, generation_id, out_trade_no, transaction_id, amount, package_type, status, created_at) VALUES ?`,
    [orders.map(orderValues)],
  );
  for (const [index, { before, packageType }] of orders.entries()) {
    const number = numberOf(index);
    if (before === 'granted' || before === 'revoked') {
      const line = (entry: string, delta: number) => [
        number,
        entry,
        'user-a',
        packageType,
        delta,
        'payment',
        'test',
      ];
      await database.query(
        'INSERT INTO entitlement_grants (out_trade_no, entry, user_id, package_type, regenerate_delta, origin, granted_by) VALUES ?',
        [before === 'granted' ? [line('grant', 20)] : [line('grant', 20), line('revocation', -20)]],
      );
    }
    if (before === 'refunded' || before === 'closed') {
      await database.query(
        `INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, status) VALUES (?, ?, ?, 1, 1, ?)`,
        [`refund-${index}`, `R${index}`, number, before === 'closed' ? 'closed' : 'success'],
      );
    }
    if (before === 'held' || before === 'dismissed') {
      await database.query(
        "INSERT INTO exceptions (kind, subject, reason, status) VALUES ('payment_held', ?, 'test', ?)",
        [number, before === 'held' ? 'open' : 'dismissed'],
      );
    }
  }
}

const noticeRecord = (part: NoticePart, index: number) => {
  const outTradeNo = numberOf(part.order);
  return {
    topic: 'payment_notified',
    outTradeNo,
    dedupeKey: createHash('sha256').update(`notice ${index}`).digest('hex'),
    payload: JSON.stringify({
      outTradeNo,
      transactionId: part.transaction === 'own' ? `4200${outTradeNo}` : part.transaction,
      status: part.status,
      packageType: null,
      generationId: part.generation,
      openid: part.openid,
    }),
    receivedAtMs: SEEN_AT_MS + index * 1000,
  };
};

type Records = ReturnType<typeof noticeRecord>[];

async function show(database: TestDatabase): Promise<Record<string, string[]>> {
  const tables = Object.entries(SHOWN).map(async ([table, columns]) => {
    const rows = await database.query(`SELECT ${columns} FROM ${table}`);
    return [table, rows.map((row) => JSON.stringify(row)).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

async function apply(application: TestApplication, records: Records, together: boolean): Promise<void> {
  const { app } = application;
  const drain = () => app.get(InboxDrainService).drain(new AbortController().signal);
  for (const record of records) {
    await app.get(InboxRepository).insertMany([record]);
    if (!together) await drain();
  }
  await drain();
}

describe.each(['without credentials of WeChat Pay', 'with WeChat Pay to be asked'])(
  'messages, %s',
  (variant) => {
    let sides: { database: TestDatabase; application: TestApplication; together: boolean }[];
    let closeSimulator = async () => {};

    beforeAll(async () => {
      let env: Record<string, string> = {};
      if (variant.startsWith('with ')) {
        const simulator = await startWechatPaySimulator({ mode: 'public-key', clock: new SimulatorClock() });
        env = simulator.env;
        closeSimulator = () => simulator.close();
      }
      sides = [];
      for (const together of [false, true]) {
        const database = await createTestDatabase();
        const application = await startApplication(database, { ROLE: 'api', ...env });
        await application.whenAvailable();
        sides.push({ database, application, together });
      }
    });
    afterAll(async () => {
      for (const { application, database } of sides) {
        await application.stop();
        await database.drop();
      }
      await closeSimulator();
    });

    it('leave the same when they are applied together as one by one', async () => {
      const usual = vi.spyOn(UsualPaymentsService.prototype, 'recordTogether');
      await fc.assert(
        fc.asyncProperty(
          fc.array(orderPart, { minLength: 1, maxLength: ORDERS_MAX }),
          fc.array(noticePart, { minLength: 2, maxLength: MESSAGES_MAX }),
          async (orders, notices) => {
            const records = notices.map(noticeRecord);
            const [alone, together] = await Promise.all(
              sides.map(async (side) => {
                await empty(side.database);
                await fill(side.database, orders);
                await apply(side.application, records, side.together);
                return show(side.database);
              }),
            );
            expect(together).toEqual(alone);
          },
        ),
        { numRuns: RUNS },
      );
    }, 300_000);
  },
);
