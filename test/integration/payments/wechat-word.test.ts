import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { OperatorGrantsService } from '../../../src/payments/operator-grants.service.js';
import { OrderQueriesService } from '../../../src/payments/order-queries.service.js';
import { placeholderUserId } from '../../../src/shared/ids.js';
import type { OutTradeNo } from '../../../src/shared/ids.js';
import { insertOrderRow, newOutTradeNo, notifyBody } from '../../support/builders.js';
import { evidenceOf, grantAsOperator, readOrder, recordPaid } from '../../support/payments.js';
import { WechatpayBackend } from '../../support/wechatpay-backend.js';

/*
 * What WeChat Pay said of an order, against what came before it and after it: older words, operators, the table.
 */

let backend: WechatpayBackend;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
});
afterAll(() => backend.stop());
beforeEach(() => backend.heal());

const read = (outTradeNo: string) => readOrder(backend.database, outTradeNo);

async function post(outTradeNo: string, changes: Record<string, unknown> = {}): Promise<void> {
  const body = notifyBody({ outTradeNo }, { transactionId: backend.transactionOf(outTradeNo), ...changes });
  await backend.application.post('notify', body).expect(200);
}

async function notify(outTradeNo: string): Promise<void> {
  await post(outTradeNo);
  await backend.drain();
}

/** What only a person does with it in real life. */
const setHold = (outTradeNo: string, status: string) =>
  backend.database.query("UPDATE exceptions SET status = ? WHERE kind = 'payment_held' AND subject = ?", [
    status,
    outTradeNo,
  ]);

/** The row a cloud function writes for a payment whose order it could not find. */
async function rescueRow(outTradeNo: string, transactionId = `4200${outTradeNo}`): Promise<void> {
  await insertOrderRow(backend.database, {
    id: `order-${outTradeNo}`,
    out_trade_no: outTradeNo,
    transaction_id: transactionId,
    amount: '29.90',
    package_type: 'basic',
    status: 'paid',
    paid_at: new Date(),
  });
}

async function stateOf(outTradeNo: string) {
  const { order, grants, exceptions } = await read(outTradeNo);
  const states = Object.fromEntries(exceptions.map(({ kind, status }) => [kind, status]));
  return { status: order?.status, grants: grants.length, exceptions: states };
}

describe('WeChat Pay’s word', () => {
  // The callback was stored before the money went back, and applied after WeChat Pay had said so.
  it('that money went back is not undone by an older callback, and is by a newer answer', async () => {
    const outTradeNo = await backend.order({ status: 'paid', transaction_id: '4200900' });
    const told = { transactionId: '4200900', evidence: evidenceOf('4200900', 2990) };
    const refunded = { ...told, evidence: { ...told.evidence, refunded: true } };
    const record = (claim: object, source: 'wechat-query' | 'wechat-callback') =>
      recordPaid(backend.application, outTradeNo, { ...claim, source });
    expect(await record(refunded, 'wechat-query')).toBe('held');
    expect(await record(told, 'wechat-callback')).toBe('held');
    expect(await record({ evidence: null, transactionId: '4200900' }, 'wechat-callback')).toBe('held');
    expect((await read(outTradeNo)).grants).toEqual([]);
    await expect(grantAsOperator(backend.application, outTradeNo)).rejects.toMatchObject({
      code: 'order_refunded',
    });
    expect(await record(told, 'wechat-query')).toBe('granted');
  });

  // Otherwise an outage right after "nobody paid" would have the table's own word count.
  it('that nobody paid is not forgotten when WeChat Pay stops answering', async () => {
    const outTradeNo = newOutTradeNo();
    backend.placeOrder(outTradeNo);
    await rescueRow(outTradeNo);
    await backend.sweep();
    await backend.ask(outTradeNo);
    for (let round = 1; round <= 4; round += 1) {
      backend.simulator.faults.next('error-before');
      await backend.ask(outTradeNo);
    }
    const { grants, exceptions } = await read(outTradeNo);
    expect(grants).toEqual([]);
    expect(exceptions).toMatchObject([{ kind: 'payment_held', status: 'open' }]);
    expect(exceptions[0]?.reason).toMatch(/nobody paid/);
    backend.pay(outTradeNo);
    await backend.heal();
    await backend.ask(outTradeNo);
    expect((await read(outTradeNo)).grants).toMatchObject([{ package_type: 'premium' }]);
  });

  it('that nobody ever will pay is told to an operator, before a grant and after it', async () => {
    const [held, granted] = [newOutTradeNo(), newOutTradeNo()];
    for (const outTradeNo of [held, granted]) {
      backend.placeOrder(outTradeNo);
      await rescueRow(outTradeNo);
    }
    await backend.sweep();
    await recordPaid(backend.application, granted, { source: 'wechat-unreachable', transactionId: null });
    for (const outTradeNo of [held, granted]) backend.simulator.ledger.getOrder(outTradeNo).state = 'CLOSED';
    await backend.ask(held, granted);
    expect(await stateOf(held)).toEqual({ status: 'paid', grants: 0, exceptions: { payment_held: 'open' } });
    expect(await stateOf(granted)).toEqual({
      status: 'paid',
      grants: 1,
      exceptions: { payment_held: 'resolved', payment_contradicted: 'open' },
    });
  });

  // An operator who granted, or dismissed, before WeChat Pay had answered did not know of it.
  it('that comes after an operator decided without it is told to them', async () => {
    const [granted, dismissed] = [newOutTradeNo(), newOutTradeNo()];
    for (const outTradeNo of [granted, dismissed]) {
      backend.placeOrder(outTradeNo, 1);
      backend.pay(outTradeNo);
      await rescueRow(outTradeNo, backend.transactionOf(outTradeNo) ?? '');
    }
    await backend.sweep();
    await grantAsOperator(backend.application, granted);
    await setHold(dismissed, 'dismissed');
    await backend.ask(granted, dismissed);
    expect(await stateOf(granted)).toEqual({
      status: 'paid',
      grants: 1,
      exceptions: { payment_held: 'resolved', payment_contradicted: 'open' },
    });
    expect(await stateOf(dismissed)).toEqual({
      status: 'paid',
      grants: 0,
      exceptions: { payment_held: 'open' },
    });
    await setHold(dismissed, 'dismissed');
    const transactionId = backend.transactionOf(dismissed) ?? '';
    const again = { transactionId, evidence: evidenceOf(transactionId, 1) };
    await recordPaid(backend.application, dismissed, { source: 'wechat-query', ...again });
    expect((await stateOf(dismissed)).exceptions).toEqual({ payment_held: 'dismissed' });
  });

  // A refund that somebody made up holds the order for a while; the amount stays wrong after it.
  it('about the amount outlives a refund that was none', async () => {
    const outTradeNo = await backend.order({}, { totalFen: 1 });
    backend.pay(outTradeNo);
    const refund = ['refund-made-up', `R${outTradeNo}`, outTradeNo, '29.90', '29.90', 'pending'];
    await backend.database.query(
      'INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, status) VALUES (?)',
      [refund],
    );
    await notify(outTradeNo);
    await backend.ask(outTradeNo);
    await backend.database.query("UPDATE refunds SET status = 'closed' WHERE out_trade_no = ?", [outTradeNo]);
    await backend.letWaitingIn(outTradeNo);
    await post(outTradeNo, { openid: 'oRepeated' });
    await backend.drain();
    expect(await stateOf(outTradeNo)).toEqual({
      status: 'paid',
      grants: 0,
      exceptions: { payment_held: 'open' },
    });
  });

  // Money that came in for this order would be stuck, and asked about for ever.
  it('that another order has the transaction of this one makes this one paid, for an operator', async () => {
    const outTradeNo = await backend.order();
    backend.pay(outTradeNo);
    const other = await backend.order({ status: 'paid', transaction_id: backend.transactionOf(outTradeNo) });
    await post(outTradeNo, { transactionId: null });
    await backend.drain();
    await backend.ask(outTradeNo);
    await backend.letWaitingIn(outTradeNo);
    expect(await stateOf(outTradeNo)).toEqual({
      status: 'paid',
      grants: 0,
      exceptions: { payment_held: 'open' },
    });
    expect((await read(outTradeNo)).exceptions[0]?.reason).toContain(other);
  });

  // Otherwise the customer can only be refunded, though WeChat Pay said who paid.
  it('names the payer of an order that nobody claimed, also when it is held', async () => {
    const outTradeNo = newOutTradeNo();
    backend.placeOrder(outTradeNo, 1234);
    backend.pay(outTradeNo);
    await insertOrderRow(backend.database, {
      out_trade_no: outTradeNo,
      user_id: placeholderUserId(outTradeNo as OutTradeNo),
      amount: '12.34',
    });
    await notify(outTradeNo);
    await backend.ask(outTradeNo);
    expect(await stateOf(outTradeNo)).toMatchObject({ grants: 0, exceptions: { payment_held: 'open' } });
    await grantAsOperator(backend.application, outTradeNo);
    expect((await read(outTradeNo)).grants).toHaveLength(1);
  });

  // A late or unsigned "nobody paid" is older than what WeChat Pay has signed.
  it('that money went back is not overwritten by an answer that knows no payment', async () => {
    const outTradeNo = await backend.order({ status: 'paid', transaction_id: '4200901' });
    const told = { transactionId: '4200901', evidence: evidenceOf('4200901', 2990) };
    const refunded = { ...told, evidence: { ...told.evidence, refunded: true } };
    await recordPaid(backend.application, outTradeNo, { ...refunded, source: 'wechat-query' });
    await recordPaid(backend.application, outTradeNo, { evidence: null }); // has it asked about again
    await backend.ask(outTradeNo);
    await recordPaid(backend.application, outTradeNo, { ...told, source: 'wechat-callback' });
    const { grants, exceptions } = await read(outTradeNo);
    expect(grants).toEqual([]);
    expect(exceptions.find(({ kind }) => kind === 'payment_held')?.reason).toMatch(/refunded/);
  });

  // Dismissed, because nobody had paid; now somebody did, and no package has this price.
  it('that it was paid after all opens the hold that was dismissed because it was not', async () => {
    const outTradeNo = newOutTradeNo();
    backend.placeOrder(outTradeNo, 1234);
    await insertOrderRow(backend.database, { out_trade_no: outTradeNo, amount: '12.34', status: 'paid' });
    await backend.sweep();
    await backend.application.app
      .get(OrderQueriesService)
      .askNow(outTradeNo as OutTradeNo, { deadlineMs: 3_000 });
    expect((await read(outTradeNo)).exceptions[0]?.reason).toMatch(/nobody paid/);
    await setHold(outTradeNo, 'dismissed');
    backend.pay(outTradeNo);
    await backend.application.app
      .get(OrderQueriesService)
      .askNow(outTradeNo as OutTradeNo, { deadlineMs: 3_000 });
    const { exceptions } = await read(outTradeNo);
    expect(exceptions.find(({ kind }) => kind === 'payment_held')).toMatchObject({
      status: 'open',
      reason: expect.stringContaining('12.34') as string,
    });
  });

  it('that it was paid by a transaction lets an operator grant what another order took it for', async () => {
    const outTradeNo = await backend.order();
    backend.pay(outTradeNo);
    const transactionId = backend.transactionOf(outTradeNo);
    const other = await backend.order({ status: 'paid', transaction_id: transactionId });
    await backend.sweep();
    expect((await read(other)).grants).toHaveLength(1);
    await post(outTradeNo, { transactionId: null });
    await backend.drain();
    await backend.ask(outTradeNo);
    await grantAsOperator(backend.application, outTradeNo);
    expect(await stateOf(outTradeNo)).toMatchObject({ grants: 1, exceptions: { payment_held: 'resolved' } });
  });

  // WeChat Pay goes on calling the order refunded, although the refund moved no money.
  it('that it was refunded keeps no operator from granting when the refund was closed', async () => {
    const outTradeNo = await backend.order({ status: 'paid', transaction_id: '4200902' });
    const evidence = { ...evidenceOf('4200902', 2990), refunded: true };
    await recordPaid(backend.application, outTradeNo, { source: 'wechat-query', evidence });
    await expect(grantAsOperator(backend.application, outTradeNo)).rejects.toMatchObject({
      code: 'order_refunded',
    });
    const canGrant = async () =>
      (await backend.application.app.get(OperatorGrantsService).listHeld([outTradeNo])).get(outTradeNo)
        ?.canGrant;
    expect(await canGrant()).toBe(false);
    const refund = ['refund-closed', `R${outTradeNo}`, outTradeNo, '29.90', '29.90', 'closed'];
    await backend.database.query(
      'INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, status) VALUES (?)',
      [refund],
    );
    expect(await canGrant()).toBe(true);
    await grantAsOperator(backend.application, outTradeNo);
  });
});
