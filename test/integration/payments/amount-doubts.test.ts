import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { notifyBody } from '../../support/builders.js';
import { evidenceOf, grantAsOperator, readOrder, recordPaid } from '../../support/payments.js';
import { WechatpayBackend } from '../../support/wechatpay-backend.js';

/*
 * What WeChat Pay was paid against what the table says. Whoever knows less must not undo what WeChat Pay's word decided.
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

async function expectHeld(outTradeNos: readonly string[], as: 'open' | 'dismissed'): Promise<void> {
  for (const outTradeNo of outTradeNos) {
    const { grants, exceptions } = await read(outTradeNo);
    expect(grants).toEqual([]);
    expect(exceptions).toContainEqual(expect.objectContaining({ kind: 'payment_held', status: as }));
  }
}

describe('a payment of another amount than the order says', () => {
  // Money that differs from the order's is a question for a person; granting would sell premium for a cent.
  it('is held when WeChat Pay was paid another amount than the row says', async () => {
    const outTradeNo = await backend.order({}, { totalFen: 1 });
    backend.pay(outTradeNo);
    await notify(outTradeNo);
    await backend.ask(outTradeNo);
    const { order, grants, exceptions } = await read(outTradeNo);
    expect(order).toMatchObject({ status: 'paid', amount: '29.90' });
    expect(grants).toEqual([]);
    expect(exceptions).toMatchObject([{ kind: 'payment_held', status: 'open' }]);
    expect(exceptions[0]?.reason).toMatch(/0\.01.*29\.90/);
  });

  // The notice that waited, a repeat, the table's own word: none of them knows what was paid.
  it('stays held whatever a notice or the table says later, also when the hold was dismissed', async () => {
    const numbers = [await backend.order({}, { totalFen: 1 }), await backend.order({}, { totalFen: 1 })];
    for (const outTradeNo of numbers) backend.pay(outTradeNo);
    for (const outTradeNo of numbers) {
      await notify(outTradeNo);
      await backend.ask(outTradeNo);
    }
    await backend.letWaitingIn(...numbers);
    await expectHeld(numbers, 'open');
    await backend.database.query("UPDATE exceptions SET status = 'dismissed' WHERE subject IN (?)", [
      numbers,
    ]);
    for (const outTradeNo of numbers) await post(outTradeNo, { openid: 'oRepeated' });
    await backend.drain();
    await backend.sweep();
    await expectHeld(numbers, 'dismissed');
  });

  // Otherwise an operator reads "nobody says that it was paid" beside an order that is held because it was paid.
  it('ends what its notice was before an operator for', async () => {
    const outTradeNo = await backend.order({}, { totalFen: 1 });
    backend.pay(outTradeNo);
    await notify(outTradeNo);
    await backend.database.query(
      'UPDATE inbox_messages SET received_at = received_at - INTERVAL 3 HOUR, available_at = NOW(3) WHERE out_trade_no = ?',
      [outTradeNo],
    );
    await backend.drain();
    await backend.ask(outTradeNo);
    await backend.drain();
    const { exceptions } = await read(outTradeNo);
    const statuses = Object.fromEntries(exceptions.map(({ kind, status }) => [kind, status]));
    expect(statuses).toEqual({ payment_held: 'open', payment_unproven: 'resolved' });
  });

  // Who got the money back must not get the goods as well.
  it('is held when some of the money went back before anything was granted', async () => {
    const outTradeNo = await backend.order();
    backend.pay(outTradeNo);
    backend.simulator.merchantRefunds({ outTradeNo, outRefundNo: `R${outTradeNo}`, refundFen: 100 });
    backend.simulator.endRefund(`R${outTradeNo}`, 'SUCCESS');
    expect(backend.simulator.ledger.getOrder(outTradeNo).state).toBe('REFUND');
    await notify(outTradeNo);
    await backend.ask(outTradeNo);
    await backend.letWaitingIn(outTradeNo);
    const { order, grants, exceptions } = await read(outTradeNo);
    expect(order).toMatchObject({ status: 'paid' });
    expect(grants).toEqual([]);
    expect(exceptions).toMatchObject([
      { kind: 'refund_unseen', status: 'open' },
      { kind: 'payment_held', status: 'open' },
    ]);
  });

  // Granted by the table's word, which said more than was paid: nobody would learn of it otherwise.
  it('is told to an operator when it shows only after the grant', async () => {
    const outTradeNo = await backend.order({ status: 'paid', transaction_id: '4200890' });
    expect(await recordPaid(backend.application, outTradeNo, { transactionId: null })).toBe('granted');
    const told = { transactionId: '4200890', evidence: evidenceOf('4200890', 1) };
    expect(await recordPaid(backend.application, outTradeNo, told)).toBe('already_granted');
    const { grants, exceptions } = await read(outTradeNo);
    expect(grants).toHaveLength(1);
    expect(exceptions).toMatchObject([{ kind: 'payment_contradicted', status: 'open' }]);
    expect(exceptions[0]?.reason).toMatch(/0\.01.*29\.90/);
  });

  it('is not told again when an operator granted for it', async () => {
    const outTradeNo = await backend.order({ status: 'paid', transaction_id: '4200891' });
    const told = { transactionId: '4200891', evidence: evidenceOf('4200891', 1) };
    expect(await recordPaid(backend.application, outTradeNo, told)).toBe('held');
    await grantAsOperator(backend.application, outTradeNo);
    expect(await recordPaid(backend.application, outTradeNo, told)).toBe('already_granted');
    const { exceptions } = await read(outTradeNo);
    expect(exceptions).toMatchObject([{ kind: 'payment_held', status: 'resolved' }]);
  });
});
