import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PendingOrdersRepository } from '../../../src/payments/pending-orders.repository.js';
import { PendingOrdersService } from '../../../src/payments/pending-orders.service.js';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { JobLeasesRepository } from '../../../src/platform/jobs/job-leases.repository.js';
import { insertOrderRow, newOutTradeNo, notifyBody } from '../../support/builders.js';
import { readOrder } from '../../support/payments.js';
import { WechatpayBackend } from '../../support/wechatpay-backend.js';
import type { Fault } from '../../support/wechatpay-simulator/faults.ts';

const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;

let backend: WechatpayBackend;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
});
afterAll(() => backend.stop());
beforeEach(() => backend.heal());

const read = (outTradeNo: string) => readOrder(backend.database, outTradeNo);
const hoursAgo = (hours: number) => new Date(Date.now() - hours * HOUR_MS);

async function notify(outTradeNo: string): Promise<void> {
  await backend.application.post('notify', notifyBody({ outTradeNo })).expect(200);
  await backend.drain();
}

describe('a pending order', () => {
  // A payment whose notice was lost would otherwise stay unseen for ever.
  it('is found, asked about within a minute, and then at growing intervals', async () => {
    const outTradeNo = await backend.order({ created_at: new Date(backend.simulator.clock.nowMs()) });
    await backend.discover();
    const first = await backend.queryRow(outTradeNo);
    expect(first?.due_in_s).toBeGreaterThan(20);
    expect(first?.due_in_s).toBeLessThan(60);
    await backend.ask();
    expect(backend.timesAsked(outTradeNo)).toBe(0); // nothing is due yet
    await backend.simulator.advance(50 * SECOND_MS);
    await backend.ask(outTradeNo);
    expect(backend.timesAsked(outTradeNo)).toBe(1);
    const second = await backend.queryRow(outTradeNo);
    expect(second).toMatchObject({ asks: 1, last_answer: 'open' });
    expect(second?.due_in_s).toBeGreaterThan(120);
    expect(second?.due_in_s).toBeLessThan(300);
    await backend.discover();
    expect((await backend.queryRow(outTradeNo))?.due_in_s).toBeGreaterThan(120);
    expect((await read(outTradeNo)).order).toMatchObject({ status: 'pending', transaction_id: null });
  });

  // "Now" and a made-up transaction would make the books differ from WeChat Pay's.
  it('is adopted as paid with WeChat Pay’s own time, transaction and amount, once', async () => {
    const outTradeNo = await backend.order();
    await backend.discover();
    backend.pay(outTradeNo);
    await backend.simulator.advance(90 * SECOND_MS);
    await backend.ask(outTradeNo);
    const { payment } = backend.simulator.ledger.getOrder(outTradeNo);
    const { order, grants, user } = await read(outTradeNo);
    expect(order).toMatchObject({
      status: 'paid',
      transaction_id: payment?.transactionId,
      amount: '29.90',
    });
    expect(Math.abs((order?.paid_at as Date).getTime() - (payment?.successTimeMs ?? 0))).toBeLessThan(1001);
    expect(grants).toMatchObject([
      { entry: 'grant', package_type: 'premium', granted_by: 'system:wechat-query' },
    ]);
    expect(user).toMatchObject({ payment_status: 'premium', regenerate_count: 23 });
    expect(await backend.queryRow(outTradeNo)).toBeUndefined();
  });

  // Failing an order by the clock alone would take the money of customers who pay meanwhile.
  it('is closed at WeChat Pay when its time is over, and failed only then', async () => {
    const outTradeNo = await backend.order({ created_at: hoursAgo(2.1) });
    await backend.discover();
    await backend.ask(outTradeNo);
    expect(backend.simulator.ledger.getOrder(outTradeNo).state).toBe('CLOSED');
    expect((await read(outTradeNo)).order).toMatchObject({ status: 'failed' });
    expect(await backend.queryRow(outTradeNo)).toBeUndefined();
  });

  // The customer pays between the question and the close: WeChat Pay refuses the close in any of four ways.
  it.each(['ORDER_PAID', 'ORDERPAID', 'TRADE_ERROR', 'INVALID_REQUEST'] as const)(
    'whose close is refused with %s was paid meanwhile, and is granted',
    async (answer) => {
      const outTradeNo = await backend.order({ created_at: hoursAgo(2.1) });
      backend.simulator.settings.closePaidAnswer = answer;
      await backend.discover();
      backend.pay(outTradeNo);
      const unpaid = { trade_state: 'NOTPAY', trade_state_desc: '订单未支付' };
      const { mchid, appid } = backend.simulator.keys.merchant;
      backend.simulator.faults.next(
        { rewrite: () => ({ mchid, appid, out_trade_no: outTradeNo, ...unpaid }) },
        { route: 'query-by-out-trade-no' },
      );
      await backend.ask(outTradeNo);
      expect(backend.timesAsked(outTradeNo)).toBe(2);
      const { order, grants } = await read(outTradeNo);
      expect(order).toMatchObject({ status: 'paid' });
      expect(grants).toHaveLength(1);
    },
  );

  // A prepay that failed leaves a row and no order at WeChat Pay; it must neither stay open for ever nor fail at once.
  it('that WeChat Pay does not know stays open while a prepay could live, and fails then', async () => {
    const young = newOutTradeNo();
    const old = newOutTradeNo();
    await insertOrderRow(backend.database, { out_trade_no: young });
    await insertOrderRow(backend.database, { out_trade_no: old, created_at: hoursAgo(2.1) });
    const impossible = `n${String(Date.now() % 1000)}`; // WeChat Pay takes numbers of six characters at least
    await insertOrderRow(backend.database, { out_trade_no: impossible, created_at: hoursAgo(2.1) });
    await backend.discover();
    await backend.ask(young, old, impossible);
    expect((await read(impossible)).order).toMatchObject({ status: 'failed' });
    expect((await read(young)).order).toMatchObject({ status: 'pending' });
    expect(await backend.queryRow(young)).toMatchObject({ last_answer: 'not_found' });
    expect((await read(old)).order).toMatchObject({ status: 'failed' });
  });

  // An order from before this feature, or from a long outage, lies outside every window of recent changes.
  it('of long ago is found by the pass over the table', async () => {
    const outTradeNo = await backend.order({ created_at: hoursAgo(2000) });
    await backend.database.query(
      "UPDATE payment_orders SET updated_at = '2026-03-01 00:00:00' WHERE out_trade_no = ?",
      [outTradeNo],
    );
    await backend.discover();
    expect(await backend.queryRow(outTradeNo)).toBeUndefined();
    const leases = backend.application.app.get(JobLeasesRepository);
    const pending = backend.application.app.get(PendingOrdersService);
    for (let step = 0; step < 20 && !(await backend.queryRow(outTradeNo)); step += 1) {
      const lease = await leases.claim('pending-discovery-full', 'test', 30 * SECOND_MS);
      await pending.discoverNextStep({ lease, stopping: new AbortController().signal });
    }
    await backend.ask(outTradeNo);
    expect((await read(outTradeNo)).order).toMatchObject({ status: 'failed' });
  });

  // A pass over orders that are all asked about wrote 20 rows a second, each of them refused by the key.
  it('is told by the pass over the table from one that is asked about', async () => {
    const asked = await backend.order();
    await backend.discover();
    const young = await backend.order();
    const { app } = backend.application;
    const page = { afterId: '', limit: 1_000 };
    const step = await app.get(PendingOrdersRepository).listPendingById(app.get(UnitOfWork).reader, page);
    const isAsked = new Map(step.map((order) => [order.outTradeNo, order.isAsked]));
    expect([isAsked.get(asked), isAsked.get(young)]).toEqual([true, false]);
  });

  // A close that is refused for a reason that lasts must not be repeated every second.
  it('whose close is refused although nobody paid stays pending, and is not hurried', async () => {
    const outTradeNo = await backend.order({ created_at: hoursAgo(3) });
    await backend.discover();
    backend.simulator.faults.next({ status: 400, code: 'INVALID_REQUEST' }, { route: 'close' });
    await backend.ask(outTradeNo);
    expect((await read(outTradeNo)).order).toMatchObject({ status: 'pending' });
    expect((await backend.queryRow(outTradeNo))?.due_in_s).toBeGreaterThan(10);
    await backend.ask(outTradeNo);
    expect((await read(outTradeNo)).order).toMatchObject({ status: 'failed' });
  });

  // Evidence of payment wins over a state that was written too early.
  it('that the table failed although it was paid is reopened when somebody reports the payment', async () => {
    const outTradeNo = await backend.order({ status: 'failed' });
    backend.pay(outTradeNo);
    await notify(outTradeNo);
    await backend.ask(outTradeNo);
    expect((await read(outTradeNo)).order).toMatchObject({ status: 'paid' });
    const audit = await backend.database.query('SELECT action FROM audit_logs WHERE target_id = ?', [
      outTradeNo,
    ]);
    expect(audit).toMatchObject([{ action: 'order.reopened' }]);
  });
});

describe('no usable answer', () => {
  const faults: Fault[] = [
    'error-before',
    'error-after',
    'html-502-before',
    'html-502-after',
    'too-many-before',
    'bad-signature',
    'missing-headers',
    'unknown-serial',
    'truncated',
    'reset-before',
    'reset-after',
    { status: 401, code: 'SIGN_ERROR' },
  ];
  // Unknown is a state: a guess either way takes money or gives goods away.
  it.each(faults.map((fault) => [typeof fault === 'string' ? fault : 'status 401', fault] as const))(
    'changes nothing and settles by itself afterwards: %s',
    async (_name, fault) => {
      const paid = await backend.order();
      const overdue = await backend.order({ created_at: hoursAgo(3) });
      await backend.discover();
      backend.pay(paid);
      backend.simulator.faults.next(fault, { times: 2 });
      await backend.ask(paid, overdue);
      for (const outTradeNo of [paid, overdue]) {
        expect((await read(outTradeNo)).order).toMatchObject({ status: 'pending' });
        expect(await backend.queryRow(outTradeNo)).toMatchObject({ unanswered: 1 });
        expect((await backend.queryRow(outTradeNo))?.due_in_s).toBeGreaterThan(10);
      }
      await backend.heal();
      await backend.ask(paid, overdue);
      expect((await read(paid)).order).toMatchObject({ status: 'paid' });
      expect((await read(paid)).grants).toHaveLength(1);
      expect((await read(overdue)).order).toMatchObject({ status: 'failed' });
    },
  );

  // The close that was done but not confirmed must be repeated, not believed and not forgotten.
  it.each(['error-after', 'html-502-before', 'bad-signature', 'reset-after'] as const)(
    'to a close leaves the order pending until one is confirmed: %s',
    async (fault) => {
      const outTradeNo = await backend.order({ created_at: hoursAgo(3) });
      await backend.discover();
      backend.simulator.faults.next(fault, { route: 'close' });
      await backend.ask(outTradeNo);
      expect((await read(outTradeNo)).order).toMatchObject({ status: 'pending' });
      await backend.ask(outTradeNo);
      expect((await read(outTradeNo)).order).toMatchObject({ status: 'failed' });
    },
  );

  // A WeChat Pay that hangs must not hold up the questions about other orders, nor decide this one.
  it('because WeChat Pay hangs changes nothing, and does not hold up other orders', async () => {
    const hanging = await backend.order();
    const other = await backend.order();
    await backend.discover();
    backend.pay(other);
    backend.pay(hanging);
    backend.simulator.faults.next('hang-before');
    await backend.ask(hanging, other);
    const settled = [(await read(hanging)).order?.status, (await read(other)).order?.status];
    expect(settled.sort()).toEqual(['paid', 'pending']);
    await backend.ask(hanging, other);
    expect((await read(hanging)).order).toMatchObject({ status: 'paid' });
    expect((await read(other)).order).toMatchObject({ status: 'paid' });
  });
});
