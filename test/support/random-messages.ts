import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { placeholderUserId } from '../../src/shared/ids.js';
import type { OutTradeNo } from '../../src/shared/ids.js';
import type { TestDatabase } from './database.js';

/*
 * Random orders in any state, random messages about them, and everything the tables then show: for tests that compare two
 * ways of applying the same messages.
 */

const ORDERS_MAX = 8;
/** Those beyond the orders that are there come with a backup, or never. */
const NUMBERS = ORDERS_MAX + 4;
const MESSAGES_MAX = 14;
const USERS = ['user-a', 'user-b', 'user-c'];
const GENERATIONS = ['gen-1', 'gen-2'];
const TRANSACTIONS = ['4200-1', '4200-2', '4200-3'];
/** Long ago: what waits for its order is set aside at once. A moment ago: it is put off. */
const SEEN_AT_MS = [Date.UTC(2026, 9, 1, 12), Date.now() - 60_000] as const;
const PAID_AT = new Date(Date.UTC(2026, 9, 1, 11, 59, 30));
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
  payment_logs: 'out_trade_no, event_type, amount_total, CAST(request_data AS CHAR) AS request',
};

const oddOrder = fc.record({
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
/** As nearly all orders are. */
const plainOrder: typeof oddOrder = fc.record({
  user: fc.constantFrom(...USERS),
  packageType: fc.constant('premium'),
  amount: fc.constant('29.90'),
  status: fc.constantFrom('pending', 'paid'),
  transaction: fc.constantFrom(null, ''),
  generation: fc.constantFrom('user', 'user', ...GENERATIONS),
  isRescued: fc.constant(false),
  before: fc.constantFrom('nothing', 'nothing', 'granted', 'dismissed'),
});
const orderPart = fc.oneof({ weight: 2, arbitrary: plainOrder }, { weight: 1, arbitrary: oddOrder });
const noticePart = fc.record({
  order: fc.integer({ min: 0, max: NUMBERS - 1 }),
  transaction: fc.constantFrom(null, ...Array<'own'>(9).fill('own'), ...TRANSACTIONS),
  generation: fc.constantFrom(null, null, 'user-a', ...GENERATIONS),
  status: fc.constantFrom(...Array<string>(9).fill('paid'), 'closed'),
  openid: fc.constantFrom(null, 'oPayer'),
});
const backupPart = fc.record({
  order: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: ORDERS_MAX, max: NUMBERS - 1 }) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: NUMBERS - 1 }) },
  ),
  orderId: fc.constantFrom(null, 'own', 'own', 'order-1790000000000-0x'),
  userId: fc.constantFrom(null, ...USERS, 'user-new-1', 'user-new-1', 'user-new-2', 'User-A'),
  openid: fc.constantFrom(null, null, 'oA', 'oNew1', 'oNew2', 'ONEW1'),
  packageType: fc.constantFrom(null, 'basic', 'premium', 'premium', 'free'),
  amount: fc.constantFrom('1', '2990', '2990', '500', 'x'),
});
const callbackPart = fc.record({
  order: fc.integer({ min: 0, max: NUMBERS - 1 }),
  paidTransaction: fc.constantFrom(...Array<string>(9).fill('own'), ...TRANSACTIONS),
  amountFen: fc.constantFrom(1, 2990, 2990, 2990, 500),
  openid: fc.constantFrom(null, 'oPayer'),
  tradeState: fc.constantFrom(...Array<string>(9).fill('SUCCESS'), 'REFUND'),
});
type OrderPart = typeof orderPart extends fc.Arbitrary<infer Part> ? Part : never;
type NoticePart = typeof noticePart extends fc.Arbitrary<infer Part> ? Part : never;
type BackupPart = typeof backupPart extends fc.Arbitrary<infer Part> ? Part : never;
type CallbackPart = typeof callbackPart extends fc.Arbitrary<infer Part> ? Part : never;

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

export async function empty(database: TestDatabase): Promise<void> {
  for (const table of [...Object.keys(SHOWN), 'refunds'].sort((a) => (a === 'users' ? 1 : -1)))
    await database.query(`DELETE FROM ${table}`);
}

/** What was there before any of the messages came. */
export async function fill(database: TestDatabase, orders: readonly OrderPart[]): Promise<void> {
  const users = [...USERS, ...orders.map((_, index) => placeholderUserId(numberOf(index)))];
  await database.query('INSERT INTO users (id, openid) VALUES ?', [
    users.map((id) => [id, id === 'user-a' ? 'oA' : null]),
  ]);
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

const transactionOf = (said: string | null, outTradeNo: string) =>
  said === 'own' ? `4200${outTradeNo}` : said;

const noticePayload = ({ transaction, status, generation, openid }: NoticePart, outTradeNo: string) => ({
  transactionId: transactionOf(transaction, outTradeNo),
  status,
  packageType: null,
  generationId: generation,
  openid,
});

const backupPayload = (part: BackupPart) => ({
  ...part,
  orderId: part.orderId === 'own' ? `order-own-${part.order}` : part.orderId,
  unionid: null,
  statedAmount: part.amount,
  tradeType: 'JSAPI',
  status: 'pending',
});

const callbackPayload = (part: CallbackPart, outTradeNo: string) => ({
  deliveryId: `delivery-${part.order}`,
  transactionId: transactionOf(part.paidTransaction, outTradeNo),
  amountFen: part.amountFen,
  paidAt: PAID_AT.toISOString(),
  openid: part.openid,
  tradeType: 'JSAPI',
  tradeState: part.tradeState,
});

type Part = NoticePart | BackupPart | CallbackPart;

function readPart(part: Part, outTradeNo: string): { topic: string; payload: object } {
  if ('transaction' in part) return { topic: 'payment_notified', payload: noticePayload(part, outTradeNo) };
  if ('paidTransaction' in part)
    return { topic: 'wechat_payment', payload: callbackPayload(part, outTradeNo) };
  return { topic: 'order_created', payload: backupPayload(part) };
}

function toRecord(part: Part, index: number, seenAtMs: number) {
  const outTradeNo = numberOf(part.order);
  const { topic, payload } = readPart(part, outTradeNo);
  return {
    topic,
    outTradeNo,
    dedupeKey: createHash('sha256').update(`${topic} ${index}`).digest('hex'),
    payload: JSON.stringify({ ...payload, outTradeNo }),
    receivedAtMs: seenAtMs + index * 1000,
  };
}

/** Messages as the inbox takes them. */
export type Records = ReturnType<typeof toRecord>[];

/** What every table says, in no order. */
export async function show(database: TestDatabase): Promise<Record<string, string[]>> {
  const tables = Object.entries(SHOWN).map(async ([table, columns]) => {
    const rows = await database.query(`SELECT ${columns} FROM ${table}`);
    return [table, rows.map((row) => JSON.stringify(row)).sort()] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

export const randomOrders = fc.array(orderPart, { minLength: 1, maxLength: ORDERS_MAX, size: 'max' });
export const randomMessages = fc
  .tuple(
    fc.array(fc.oneof(noticePart, backupPart, callbackPart), {
      minLength: 2,
      maxLength: MESSAGES_MAX,
      size: 'max',
    }),
    fc.constantFrom(...SEEN_AT_MS),
  )
  .map(([parts, seenAtMs]): Records => parts.map((part, index) => toRecord(part, index, seenAtMs)));
