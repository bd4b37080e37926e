import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placeholderUserId, stableOrderId } from '../../../src/shared/ids.js';
import type { OutTradeNo } from '../../../src/shared/ids.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { insertOrderRow, newOutTradeNo, notifyBody, orderCreatedBody } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { readOrder } from '../../support/payments.js';
import { eventually } from '../../support/until.ts';

describe('backed-up orders', () => {
  let database: TestDatabase;
  let application: TestApplication;

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await startApplication(database);
    await application.whenAvailable();
  });
  afterAll(async () => {
    await application.stop();
    await database.drop();
  });

  /** Posts and waits until the inbox has settled all messages of the order. */
  async function send(path: 'order-created' | 'notify', body: { outTradeNo: string }): Promise<string[]> {
    await application.post(path, body).expect(200);
    return eventually(async () => {
      const rows = await database.query<{ status: string; outcome: string }>(
        'SELECT status, outcome FROM inbox_messages WHERE out_trade_no = ? ORDER BY id',
        [body.outTradeNo],
      );
      if (rows.some(({ status }) => status === 'pending')) throw new Error('still pending');
      return rows.map(({ status, outcome }) => `${status}:${outcome}`);
    });
  }

  it('come into the table with their user, their amount in yuan and the time they were taken in', async () => {
    const body = orderCreatedBody({ amount: '2990', tradeType: 'h5' });
    expect(await send('order-created', body)).toEqual(['handled:created']);
    const { order, user } = await readOrder(database, body.outTradeNo);
    expect(order).toMatchObject({
      id: body.orderId,
      user_id: body.userId,
      generation_id: body.userId,
      amount: '29.90',
      package_type: 'premium',
      trade_type: 'H5',
      status: 'pending',
      _openid: body.openid,
    });
    expect(user?.openid).toBe(body.openid);
    expect(Math.abs(Date.now() - (order?.created_at as Date).getTime())).toBeLessThan(30_000);
  });

  it('find their user by id first, then by openid with its case', async () => {
    const openid = `oCase${newOutTradeNo()}`;
    await database.query('INSERT INTO users (id, openid) VALUES (?, ?)', ['104', openid]);
    const legacy = orderCreatedBody({ userId: '104', openid: undefined });
    const byOpenid = orderCreatedBody({ userId: undefined, openid });
    const otherCase = orderCreatedBody({ userId: undefined, openid: openid.toUpperCase() });
    for (const body of [legacy, byOpenid, otherCase]) await send('order-created', body);
    expect((await readOrder(database, legacy.outTradeNo)).order?.user_id).toBe('104');
    expect((await readOrder(database, byOpenid.outTradeNo)).order?.user_id).toBe('104');
    const other = (await readOrder(database, otherCase.outTradeNo)).order;
    expect(other?.user_id).not.toBe('104');
    expect(other?._openid).toBe(openid.toUpperCase());
    // The same person again is the same user, although the table cannot hold the openid twice.
    const again = orderCreatedBody({ userId: undefined, openid: openid.toUpperCase() });
    await send('order-created', again);
    expect((await readOrder(database, again.outTradeNo)).order?.user_id).toBe(other?.user_id);
  });

  it('without an id get the same one on every repeat', async () => {
    const body = orderCreatedBody({ orderId: undefined, reason: 'db_exception' });
    const first = await application.post('order-created', body).expect(200);
    const second = await application.post('order-created', { ...body, dbError: 'other text' }).expect(200);
    expect(first.body).toEqual(second.body);
    await send('order-created', body);
    const { order } = await readOrder(database, body.outTradeNo);
    expect(order?.id).toBe(stableOrderId(body.outTradeNo as OutTradeNo));
    expect((first.body as { orderId: string }).orderId).toBe(order?.id);
  });

  it('of nobody are kept under a placeholder, and granted to whoever paid', async () => {
    const body = orderCreatedBody({ userId: undefined, openid: '' });
    await send('order-created', body);
    const placeholder = placeholderUserId(body.outTradeNo as OutTradeNo);
    expect((await readOrder(database, body.outTradeNo)).order?.user_id).toBe(placeholder);
    const outcomes = await send('notify', notifyBody(body));
    expect(outcomes).toEqual(['handled:created', 'handled:granted']);
    const { user, grants } = await readOrder(database, body.outTradeNo);
    expect(grants).toMatchObject([{ user_id: placeholder }]);
    expect(user).toMatchObject({ payment_status: 'premium', openid: `oTest${body.outTradeNo}` });
  });

  it('of nobody are granted to the known user who paid', async () => {
    const body = orderCreatedBody({ userId: undefined, openid: undefined });
    const payer = `user-known-${body.outTradeNo}`;
    await database.query('INSERT INTO users (id, openid) VALUES (?, ?)', [payer, `oTest${body.outTradeNo}`]);
    await send('order-created', body);
    await send('notify', notifyBody(body));
    expect((await readOrder(database, body.outTradeNo)).grants).toMatchObject([{ user_id: payer }]);
  });

  it('of nobody, paid by nobody known, are held', async () => {
    const body = orderCreatedBody({ userId: undefined, openid: undefined });
    await send('order-created', body);
    expect(await send('notify', notifyBody(body, { openid: undefined }))).toContain('handled:held');
    const { exceptions, grants } = await readOrder(database, body.outTradeNo);
    expect(grants).toEqual([]);
    expect(exceptions).toMatchObject([{ kind: 'payment_held', status: 'open' }]);
  });

  it('leave a row that is there as it is', async () => {
    const row = await insertOrderRow(database, { _openid: '' });
    const body = orderCreatedBody({
      outTradeNo: row.out_trade_no,
      userId: row.user_id,
      orderId: 'order-other',
    });
    expect(await send('order-created', body)).toEqual(['handled:completed']);
    const { order, exceptions } = await readOrder(database, row.out_trade_no);
    expect(order).toMatchObject({ id: row.id, amount: '29.90', _openid: body.openid });
    expect(exceptions).toEqual([]);
  });

  it('that contradict the row change nothing and become an exception that says what differs', async () => {
    const row = await insertOrderRow(database, { amount: '0.01', package_type: 'basic' });
    const body = orderCreatedBody({ outTradeNo: row.out_trade_no });
    expect(await send('order-created', body)).toEqual(['handled:conflict']);
    const { order, exceptions } = await readOrder(database, row.out_trade_no);
    expect(order).toMatchObject({ amount: '0.01', package_type: 'basic', user_id: row.user_id });
    expect(exceptions).toMatchObject([{ kind: 'order_conflict', status: 'open' }]);
    expect(exceptions[0]?.reason).toMatch(
      /amount 0.01 against 29.90 yuan; package basic against premium; user/,
    );
  });

  // The function made up a user id that never reached the table; the openid names the user of the row.
  it('do not contradict a row of the user whom their openid names', async () => {
    const row = await insertOrderRow(database);
    const openid = `oOwner${row.out_trade_no}`;
    await database.query('UPDATE users SET openid = ? WHERE id = ?', [openid, row.user_id]);
    const body = orderCreatedBody({ outTradeNo: row.out_trade_no, userId: 'user-never-written', openid });
    expect(await send('order-created', body)).toEqual(['handled:completed']);
    expect((await readOrder(database, row.out_trade_no)).exceptions).toEqual([]);
  });

  it('complete a rescued row that did not know its amount, and release the hold on it', async () => {
    const number = newOutTradeNo();
    const row = await insertOrderRow(database, {
      id: `order-${number}`,
      out_trade_no: number,
      amount: '0.00',
      package_type: 'basic',
      status: 'paid',
    });
    await eventually(async () =>
      expect((await readOrder(database, number)).exceptions).toMatchObject([{ kind: 'payment_held' }]),
    );
    await send('order-created', orderCreatedBody({ outTradeNo: number, userId: row.user_id }));
    const { order, user, exceptions, grants } = await readOrder(database, number);
    expect(order).toMatchObject({ amount: '29.90', package_type: 'premium' });
    expect(user?.payment_status).toBe('premium');
    expect(grants).toMatchObject([{ granted_by: 'system:order-created' }]);
    expect(exceptions).toMatchObject([{ kind: 'payment_held', status: 'resolved' }]);
  });

  it('with an impossible amount become an exception, and no row', async () => {
    for (const amount of [29.9, -1, 'abc', 0, null, { fen: 1 }, 1e15]) {
      const body = orderCreatedBody({ amount });
      expect(await send('order-created', body)).toEqual(['quarantined:impossible_amount']);
      const { order, exceptions } = await readOrder(database, body.outTradeNo);
      expect(order).toBeUndefined();
      expect(exceptions).toMatchObject([{ kind: 'impossible_amount', status: 'open' }]);
    }
  });

  it('without a package get the one their amount buys, or wait as "free" for an operator', async () => {
    const priced = orderCreatedBody({ packageType: undefined });
    const custom = orderCreatedBody({ packageType: 'platinum', amount: 1234 });
    await send('order-created', priced);
    await send('order-created', custom);
    expect((await readOrder(database, priced.outTradeNo)).order?.package_type).toBe('premium');
    const { order, exceptions } = await readOrder(database, custom.outTradeNo);
    expect(order).toMatchObject({ package_type: 'free', amount: '12.34' });
    expect(exceptions).toMatchObject([{ kind: 'package_unknown' }]);
    expect(await send('notify', notifyBody(custom))).toContain('handled:held');
  });

  it('keep their own id when the id they state belongs to another order', async () => {
    const first = orderCreatedBody();
    const second = orderCreatedBody({ orderId: first.orderId });
    await send('order-created', first);
    await send('order-created', second);
    const { order } = await readOrder(database, second.outTradeNo);
    expect(order?.id).toBe(stableOrderId(second.outTradeNo as OutTradeNo));
  });

  it('bring their waiting notice with them at once', async () => {
    const body = orderCreatedBody();
    await application.post('notify', notifyBody(body)).expect(200);
    await eventually(async () => {
      const [row] = await database.query('SELECT last_error FROM inbox_messages WHERE out_trade_no = ?', [
        body.outTradeNo,
      ]);
      expect(row?.last_error).toBe('order_unknown');
    });
    expect(await send('order-created', body)).toEqual(['handled:granted', 'handled:created']);
  });
});

describe('notices for orders that never come', () => {
  let database: TestDatabase;
  let application: TestApplication;

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await startApplication(database, { ORDER_WAIT_MINUTES: '0' });
    await application.whenAvailable();
  });
  afterAll(async () => {
    await application.stop();
    await database.drop();
  });

  const exceptionsOf = (number: string) =>
    eventually(async () => {
      const { exceptions } = await readOrder(database, number);
      expect(exceptions.length).toBeGreaterThan(0);
      return exceptions;
    });

  it('end as an exception after the configured time, and are taken up again when the order comes after all', async () => {
    const body = orderCreatedBody();
    await application.post('notify', notifyBody(body)).expect(200);
    expect(await exceptionsOf(body.outTradeNo)).toMatchObject([{ kind: 'order_unknown', status: 'open' }]);
    await application.post('order-created', body).expect(200);
    await eventually(async () => {
      const { grants, exceptions } = await readOrder(database, body.outTradeNo);
      expect(grants).toHaveLength(1);
      expect(exceptions).toMatchObject([{ kind: 'order_unknown', status: 'resolved' }]);
    });
  });

  it('without a transaction end as unproven, and with another status as unexpected', async () => {
    const row = await insertOrderRow(database);
    await application.post(
      'notify',
      notifyBody({ outTradeNo: row.out_trade_no }, { transactionId: undefined }),
    );
    expect(await exceptionsOf(row.out_trade_no)).toMatchObject([{ kind: 'payment_unproven' }]);
    const other = await insertOrderRow(database);
    await application.post('notify', notifyBody({ outTradeNo: other.out_trade_no }, { status: 'refunded' }));
    expect(await exceptionsOf(other.out_trade_no)).toMatchObject([{ kind: 'unexpected_notice' }]);
    expect((await readOrder(database, other.out_trade_no)).order?.status).toBe('pending');
  });
});
