import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OrderQueriesRepository } from '../../../src/payments/order-queries.repository.js';
import { OrderQueriesService } from '../../../src/payments/order-queries.service.js';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { startApplication } from '../../support/application.js';
import { insertOrderRow, newOutTradeNo, notifyBody } from '../../support/builders.js';
import { readOrder } from '../../support/payments.js';
import { noLease, openidOf, WechatpayBackend } from '../../support/wechatpay-backend.js';
import { eventually } from '../../support/until.ts';

const HOUR_MS = 3_600_000;

let backend: WechatpayBackend;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
});
afterAll(() => backend.stop());
beforeEach(() => backend.heal());

const read = (outTradeNo: string) => readOrder(backend.database, outTradeNo);
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

/** The row a cloud function writes for a payment whose order it could not find. */
async function rescueRow(outTradeNo: string, amount = '29.90'): Promise<void> {
  await insertOrderRow(backend.database, {
    id: `order-${outTradeNo}`,
    out_trade_no: outTradeNo,
    transaction_id: `4200${outTradeNo}`,
    amount,
    package_type: 'basic',
    status: 'paid',
    paid_at: new Date(),
  });
}

async function notify(outTradeNo: string): Promise<void> {
  await backend.application.post('notify', notifyBody({ outTradeNo })).expect(200);
  await backend.drain();
}

describe('hearsay about a payment', () => {
  // Invariant I6: who knows the internal secret could otherwise take packages without paying.
  it('does not grant a pending order while WeChat Pay says that it is not paid, and does when it is', async () => {
    const outTradeNo = await backend.order();
    await notify(outTradeNo);
    await backend.ask(outTradeNo);
    expect((await read(outTradeNo)).order).toMatchObject({ status: 'pending', transaction_id: null });
    expect((await read(outTradeNo)).grants).toEqual([]);
    backend.pay(outTradeNo);
    await backend.ask(outTradeNo);
    const { order, grants } = await read(outTradeNo);
    const { payment } = backend.simulator.ledger.getOrder(outTradeNo);
    expect(order).toMatchObject({ status: 'paid', transaction_id: payment?.transactionId });
    expect(grants).toHaveLength(1);
  });

  // A forged notice that is repeated must not turn into a stream of questions, nor undo the pauses of an outage.
  it('has an order asked about soon, but not again and again', async () => {
    const outTradeNo = await backend.order({ created_at: new Date(backend.simulator.clock.nowMs()) });
    await backend.discover();
    await notify(outTradeNo);
    expect((await backend.queryRow(outTradeNo))?.due_in_s).toBeLessThanOrEqual(0);
    await backend.ask();
    expect(backend.timesAsked(outTradeNo)).toBe(1);
    await backend.database.query('UPDATE inbox_messages SET available_at = NOW(3)');
    await backend.drain();
    await backend.ask();
    expect(backend.timesAsked(outTradeNo)).toBe(1);
    const row = await backend.queryRow(outTradeNo);
    expect(row?.due_in_s).toBeGreaterThan(10);
    expect(row?.due_in_s).toBeLessThan(17);
  });

  // A rescued row says "basic" whatever was paid; only the amount says which package it was.
  it('in a rescued row waits for WeChat Pay’s word and gets the package of the amount paid', async () => {
    const outTradeNo = newOutTradeNo();
    backend.placeOrder(outTradeNo, 2990);
    backend.pay(outTradeNo);
    await rescueRow(outTradeNo, '0.00');
    await backend.sweep();
    expect((await read(outTradeNo)).grants).toEqual([]);
    await backend.ask(outTradeNo);
    const { order, grants, exceptions } = await read(outTradeNo);
    expect(order).toMatchObject({ status: 'paid', package_type: 'premium', amount: '29.90' });
    expect(grants).toMatchObject([{ package_type: 'premium' }]);
    expect(exceptions.filter(({ status }) => status === 'open')).toMatchObject([
      { kind: 'transaction_mismatch' },
    ]);
  });

  // A rescued row is a caller's word that was written to the table by the one who was told by WeChat Pay.
  it('in a rescued row is judged by the table after WeChat Pay gave no answer three times in a row', async () => {
    const outTradeNo = newOutTradeNo();
    await rescueRow(outTradeNo);
    await backend.sweep();
    for (let round = 1; round <= 3; round += 1) {
      expect((await read(outTradeNo)).grants).toEqual([]);
      backend.simulator.faults.next('error-before');
      await backend.ask(outTradeNo);
    }
    const { grants, exceptions } = await read(outTradeNo);
    expect(grants).toMatchObject([{ package_type: 'premium', granted_by: 'system:wechat-unreachable' }]);
    expect(exceptions.filter(({ status }) => status === 'open')).toEqual([]);
  });

  // Three failures long apart are no outage: an answer in between starts the count anew.
  it('counts only failures in a row', async () => {
    const outTradeNo = newOutTradeNo();
    await rescueRow(outTradeNo);
    await backend.sweep();
    for (const fails of [true, true, false, true, true]) {
      if (fails) backend.simulator.faults.next('error-before');
      await backend.ask(outTradeNo);
    }
    expect((await read(outTradeNo)).grants).toEqual([]);
    expect(await backend.queryRow(outTradeNo)).toMatchObject({ asks: 5, unanswered: 2 });
  });

  // The row and the backup are both lost: the notice is the only trace of the money.
  it('is all there is: the order is built from WeChat Pay’s answer', async () => {
    const outTradeNo = newOutTradeNo();
    backend.placeOrder(outTradeNo, 1);
    backend.pay(outTradeNo);
    await notify(outTradeNo);
    expect((await read(outTradeNo)).order).toBeUndefined();
    await backend.ask(outTradeNo);
    const { order, grants, user } = await read(outTradeNo);
    expect(order).toMatchObject({ status: 'paid', package_type: 'basic', amount: '0.01' });
    expect(grants).toMatchObject([{ package_type: 'basic' }]);
    expect(user).toMatchObject({ openid: openidOf(outTradeNo), payment_status: 'basic' });
  });

  // Only the notice knows the generation that was paid for.
  it('that was set before an operator is tried again when WeChat Pay’s word comes after all', async () => {
    const outTradeNo = await backend.order();
    backend.pay(outTradeNo);
    await notify(outTradeNo);
    await backend.database.query(
      'UPDATE inbox_messages SET received_at = received_at - INTERVAL 3 HOUR, available_at = NOW(3) WHERE out_trade_no = ?',
      [outTradeNo],
    );
    await backend.drain();
    expect((await read(outTradeNo)).exceptions).toMatchObject([{ kind: 'payment_unproven', status: 'open' }]);
    await backend.ask(outTradeNo);
    await backend.drain();
    expect(
      await backend.database.query('SELECT status, outcome FROM inbox_messages WHERE out_trade_no = ?', [
        outTradeNo,
      ]),
    ).toMatchObject([{ status: 'handled', outcome: 'already_granted' }]);
    const { exceptions } = await read(outTradeNo);
    expect(exceptions.find(({ kind }) => kind === 'payment_unproven')).toMatchObject({ status: 'resolved' });
  });

  // Paid, not given back by WeChat Pay's word, and nothing granted: nobody else would ever look at it.
  it('of an order that its row calls refunded, and nobody knows a refund of, is before an operator', async () => {
    const outTradeNo = await backend.order({ status: 'refunded' });
    backend.pay(outTradeNo);
    await notify(outTradeNo);
    await backend.ask(outTradeNo);
    const { grants, exceptions } = await read(outTradeNo);
    expect(grants).toMatchObject([{ entry: 'revocation', regenerate_delta: 0 }]);
    expect(exceptions).toMatchObject([{ kind: 'refund_conflict', status: 'open' }]);
  });
});

describe('several askers', () => {
  // Each replica asking everything would multiply the load on WeChat Pay, whose limits are per merchant.
  it('ask once per due question', async () => {
    const replica = await backend.startReplica();
    await replica.whenAvailable();
    try {
      const orders = await Promise.all(Array.from({ length: 12 }, () => backend.order()));
      await backend.discover();
      orders.forEach((outTradeNo) => backend.pay(outTradeNo));
      await backend.database.query('UPDATE order_queries SET due_at = NOW(3)');
      await Promise.all([backend.ask(), replica.app.get(OrderQueriesService).askDue(noLease())]);
      for (const outTradeNo of orders) {
        expect(backend.timesAsked(outTradeNo)).toBe(1);
        expect((await read(outTradeNo)).grants).toHaveLength(1);
      }
    } finally {
      await replica.stop();
    }
  });

  // A replica that dies with claimed questions must not take them along.
  it('give back by themselves what they claimed and did not ask', async () => {
    const outTradeNo = await backend.order();
    await backend.discover();
    await backend.database.query('UPDATE order_queries SET due_at = NOW(3) WHERE out_trade_no = ?', [
      outTradeNo,
    ]);
    const { app } = backend.application;
    const claim = { limit: 100, leaseMs: 300 };
    const claimed = await app
      .get(UnitOfWork)
      .run((tx) => app.get(OrderQueriesRepository).claimDue(tx, claim));
    expect(claimed.map((query) => query.outTradeNo)).toContain(outTradeNo);
    await backend.ask();
    expect(backend.timesAsked(outTradeNo)).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, claim.leaseMs + 50));
    await backend.ask();
    expect(backend.timesAsked(outTradeNo)).toBe(1);
  });
});

describe('without credentials', () => {
  // The main job must not depend on a channel that a shop may not have; nor may time alone fail an order.
  it('nothing is planned, asked or failed, and a notice of a transaction counts', async () => {
    const application = await startApplication(backend.database, { ROLE: 'all' });
    await application.whenAvailable();
    try {
      const overdue = await insertOrderRow(backend.database, { created_at: hoursAgo(50) });
      const noticed = await insertOrderRow(backend.database);
      await application.post('notify', notifyBody({ outTradeNo: noticed.out_trade_no })).expect(200);
      await eventually(async () => expect((await read(noticed.out_trade_no)).grants).toHaveLength(1));
      await new Promise((resolve) => setTimeout(resolve, 1_500)); // longer than the jobs' interval
      for (const { out_trade_no } of [overdue, noticed]) {
        expect(await backend.queryRow(out_trade_no)).toBeUndefined();
        expect(backend.timesAsked(out_trade_no)).toBe(0);
      }
      expect((await read(overdue.out_trade_no)).order).toMatchObject({ status: 'pending' });
    } finally {
      await application.stop();
    }
  });
});
