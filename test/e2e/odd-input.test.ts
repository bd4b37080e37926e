import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { readOrder } from '../support/payments.js';
import { INTERNAL_SECRET } from '../support/secrets.ts';
import { eventually } from '../support/until.ts';

const BODY_BYTES_MAX = 16 * 1024;

let database: TestDatabase;
let backend: TestApplication;

beforeAll(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database);
  await backend.whenAvailable();
});

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

const WITHOUT = undefined; // JSON has no such value: the field is left out

const ODD_ORDERS: [string, Record<string, unknown>][] = [
  ['without an orderId', { orderId: WITHOUT }],
  ['with an orderId of null', { orderId: null }],
  ['with an empty orderId', { orderId: '' }],
  ['with an orderId that is no id', { orderId: 'order 1; DROP TABLE users' }],
  ['with an object for an orderId', { orderId: { id: 1 } }],
  ['without a user', { userId: WITHOUT }],
  ['with a short legacy user', { userId: '104' }],
  ['with a number for a user', { userId: 105 }],
  ['with a UUID for a user', { userId: '3f2b8c1e-5a0d-4c7e-9b1a-0d2e4f6a8b9c' }],
  ['with an empty openid', { openid: '' }],
  ['without an openid', { openid: WITHOUT, tradeType: 'NATIVE' }],
  ['without any owner', { openid: WITHOUT, userId: WITHOUT }],
  ['with an empty owner', { openid: '', userId: '' }],
  ['with a unionid', { unionid: 'uTest1' }],
  ['with half an emoji for an openid', { openid: '\ud83d' }],
  ['with the amount as text', { amount: '2990' }],
  ['with an amount of its own', { amount: 1234 }],
  ['with the package "free"', { packageType: 'free', amount: 0 }],
  ['with an unknown package', { packageType: 'gold' }],
  ['without a package', { packageType: WITHOUT }],
  ['with an object for a package', { packageType: { name: 'premium' } }],
  ['with the package in capitals', { packageType: 'PREMIUM' }],
  ['with the trade type H5', { tradeType: 'H5' }],
  ['with the trade type in small letters', { tradeType: 'native' }],
  ['with a trade type longer than its column', { tradeType: 'X'.repeat(64) }],
  ['without a trade type', { tradeType: WITHOUT }],
  ['without a status', { status: WITHOUT }],
  ['without a reason', { reason: WITHOUT }],
  ['with an unknown reason', { reason: 'db_schema' }],
  ['with a long database error', { dbError: 'x'.repeat(10_000) }],
  ['with a database error that is an object', { dbError: { code: 'ETIMEDOUT', sql: null } }],
  ['with unknown fields', { generationId: 'gen-1', nickname: '李雷😀', extra: { a: [1, { b: null }] } }],
  ['with a field called constructor', { constructor: 'x', toString: 'y' }],
];

const IMPOSSIBLE_AMOUNTS = [
  ['null', 'null'],
  ['absent', '"x","y":1'],
  ['0', '0'],
  ['-1', '-1'],
  ['29.9', '29.9'],
  ['the text 29.9', '"29.9"'],
  ['the text NaN', '"NaN"'],
  ['empty', '""'],
  ['1e400', '1e400'],
  ['2^53 + 1', '9007199254740993'],
  ['more than the column holds', '100000000000'],
  ['an array', '[2990]'],
  ['an object', '{"fen":2990}'],
  ['true', 'true'],
] as const;

async function exceptionKinds(outTradeNo: string): Promise<string[]> {
  const { exceptions } = await readOrder(database, outTradeNo);
  return exceptions.filter(({ status }) => status === 'open').map(({ kind }) => kind);
}

// Prevents a 4xx on odd business data: the caller never tries again, so it would be an order lost with money on it.
describe('an order', () => {
  it.each(ODD_ORDERS)('%s is accepted, and becomes a row or is shown to an operator', async (_, changes) => {
    const body = orderCreatedBody(changes);
    const { body: answer } = await backend.post('order-created', body).expect(200);
    expect(answer).toEqual({
      success: true,
      message: '订单已备份',
      orderId: expect.stringMatching(/^order-/),
    });
    await eventually(async () => {
      const { order } = await readOrder(database, body.outTradeNo);
      const kinds = await exceptionKinds(body.outTradeNo);
      expect(order !== undefined || kinds.length > 0).toBe(true);
    });
  });

  it.each(IMPOSSIBLE_AMOUNTS)('with the amount %s is accepted and quarantined', async (_, amount) => {
    const outTradeNo = newOutTradeNo();
    await backend
      .http()
      .post('/api/payment/internal/order-created')
      .set('X-Internal-Secret', INTERNAL_SECRET)
      .set('Content-Type', 'application/json')
      .send(`{"outTradeNo":"${outTradeNo}","amount":${amount},"packageType":"premium"}`)
      .expect(200);
    await eventually(async () => expect(await exceptionKinds(outTradeNo)).toEqual(['impossible_amount']));
    expect((await readOrder(database, outTradeNo)).order).toBeUndefined();
  });

  it('whose row is there already keeps the row, under the id of the row', async () => {
    const row = await insertOrderRow(database);
    const body = orderCreatedBody({ outTradeNo: row.out_trade_no, userId: row.user_id });
    await backend.post('order-created', body).expect(200);
    await eventually(async () => {
      const [message] = await database.query(
        'SELECT status, outcome FROM inbox_messages WHERE out_trade_no = ?',
        [row.out_trade_no],
      );
      expect(message).toEqual({ status: 'handled', outcome: 'completed' });
    });
    const rows = await database.query('SELECT id FROM payment_orders WHERE out_trade_no = ?', [
      row.out_trade_no,
    ]);
    expect(rows).toEqual([{ id: row.id }]);
  });

  it('of the largest size is accepted', async () => {
    const body = orderCreatedBody({ dbError: '' });
    const dbError = 'x'.repeat(BODY_BYTES_MAX - Buffer.byteLength(JSON.stringify(body)));
    await backend.post('order-created', { ...body, dbError }).expect(200);
  });

  it.each(['application/json;charset=UTF-8', 'Application/JSON', 'application/json; charset="utf-8"'])(
    'with the content type %s is accepted',
    async (type) => {
      await backend
        .http()
        .post('/api/payment/internal/order-created')
        .set('X-Internal-Secret', INTERNAL_SECRET)
        .set('Content-Type', type)
        .send(JSON.stringify(orderCreatedBody()))
        .expect(200);
    },
  );
});

type Notice = [string, Record<string, unknown>];

/** All of these prove the payment of an order that is in the table. */
const ODD_NOTICES: Notice[] = [
  ['with four fields only', { packageType: WITHOUT, generationId: WITHOUT }],
  ['with the user for a generation', { generationId: 'user-1706345678901-x' }],
  ['with a generation of null', { generationId: null }],
  ['without an openid', { openid: WITHOUT }],
  ['with an openid of null', { openid: null }],
  ['with the wrong package', { packageType: 'basic' }],
  ['with an unknown package', { packageType: 7 }],
  ['with a status in capitals', { status: 'PAID' }],
  ['with unknown fields', { amount: 1, success_time: '2026-01-27T00:00:00+08:00', extra: [] }],
];

/** None of these proves anything. */
const UNPROVING_NOTICES: Notice[] = [
  ['without a transaction', { transactionId: WITHOUT }],
  ['with a transaction of null', { transactionId: null }],
  ['with an empty transaction', { transactionId: '' }],
  ['with an object for a transaction', { transactionId: { id: '4200' } }],
  ['with a transaction that is no id', { transactionId: "4200' OR 1=1" }],
];

describe('a notice', () => {
  it.each(ODD_NOTICES)('%s is accepted and grants what was ordered', async (_, changes) => {
    const row = await insertOrderRow(database);
    await backend.post('notify', notifyBody({ outTradeNo: row.out_trade_no }, changes)).expect(200);
    await eventually(async () => {
      const { order, grants } = await readOrder(database, row.out_trade_no);
      expect(order).toMatchObject({ status: 'paid', transaction_id: `4200${row.out_trade_no}` });
      expect(grants).toMatchObject([{ package_type: 'premium', user_id: row.user_id }]);
    });
  });

  it.each(UNPROVING_NOTICES)('%s is accepted and kept, and grants nothing by itself', async (_, changes) => {
    const row = await insertOrderRow(database);
    const { text } = await backend
      .post('notify', notifyBody({ outTradeNo: row.out_trade_no }, changes))
      .expect(200);
    expect(text).toBe('{"success":true,"message":"处理成功"}');
    const waiting = () =>
      database.query('SELECT status, last_error FROM inbox_messages WHERE out_trade_no = ?', [
        row.out_trade_no,
      ]);
    await eventually(async () =>
      expect(await waiting()).toEqual([{ status: 'pending', last_error: 'payment_unproven' }]),
    );
    const { order, grants } = await readOrder(database, row.out_trade_no);
    expect([order?.status, grants]).toEqual(['pending', []]);
  });

  it.each(['failed', 'refunded', '', null])(
    'with the status %j is accepted and shown to an operator',
    async (status) => {
      const row = await insertOrderRow(database);
      await backend.post('notify', notifyBody({ outTradeNo: row.out_trade_no }, { status })).expect(200);
      await eventually(async () =>
        expect(await exceptionKinds(row.out_trade_no)).toEqual(['unexpected_notice']),
      );
      expect((await readOrder(database, row.out_trade_no)).grants).toEqual([]);
    },
  );

  // A duplicate callback of WeChat makes the function set a refunded order back to paid and notify again.
  it('of a refunded order is accepted and grants nothing', async () => {
    const row = await insertOrderRow(database, { status: 'refunded' });
    await backend.post('notify', notifyBody({ outTradeNo: row.out_trade_no })).expect(200);
    await eventually(async () => {
      const [message] = await database.query(
        'SELECT status, outcome FROM inbox_messages WHERE out_trade_no = ?',
        [row.out_trade_no],
      );
      expect(message).toEqual({ status: 'handled', outcome: 'refunded' });
    });
    const { grants, user } = await readOrder(database, row.out_trade_no);
    expect(grants.filter(({ entry }) => entry === 'grant')).toEqual([]);
    expect(user).toMatchObject({ payment_status: 'free', regenerate_count: 3 });
  });
});
