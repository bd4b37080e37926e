import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { newOutTradeNo } from '../support/builders.js';
import { auditOf as auditOfTarget, raiseException } from '../support/exceptions.js';
import { RefundBackend } from '../support/refund-backend.js';

let shop: RefundBackend;
let operator: AdminClient;

beforeAll(async () => {
  shop = await RefundBackend.start('wechatpay');
  const token = await insertToken(shop.database, 'operator', { name: 'olga' });
  operator = adminClient(shop.backend.application, token);
});
afterAll(() => shop.stop());
beforeEach(() => shop.backend.heal());

const raise = (raised: Parameters<typeof raiseException>[1]) => raiseException(shop.database, raised);
const auditOf = (id: string) => auditOfTarget(shop.database, id);
const shown = async (id: string) => (await operator.get(`/exceptions/${id}`).expect(200)).body.data;

describe('POST /api/admin/exceptions/:id/adopt', () => {
  /** A message that was set before an operator, with its exception. */
  async function quarantined(kind: string, payload: Record<string, unknown>, topic = 'payment_notified') {
    const subject = payload.outTradeNo as string;
    await shop.database.query(
      `INSERT INTO inbox_messages (topic, dedupe_key, out_trade_no, payload, status, attempts, outcome, received_at)
       VALUES (?, ?, ?, ?, 'quarantined', 10, ?, NOW(3) - INTERVAL 1 DAY)`,
      [topic, randomUUID().replaceAll('-', '').padEnd(64, '0'), subject, JSON.stringify(payload), kind],
    );
    const [row] = await shop.database.query<{ id: string }>(
      'SELECT MAX(id) AS id FROM inbox_messages WHERE out_trade_no = ?',
      [subject],
    );
    const messageId = String(row?.id);
    return { messageId, id: await raise({ kind, subject, detail: { inboxMessageId: messageId } }) };
  }

  const notice = (outTradeNo: string) => ({
    outTradeNo,
    transactionId: null,
    status: 'paid',
    packageType: 'premium',
    openid: null,
    generationId: null,
  });

  it('asks WeChat Pay, which knows the order, and then applies the message', async () => {
    const outTradeNo = newOutTradeNo();
    shop.backend.placeOrder(outTradeNo);
    shop.backend.pay(outTradeNo);
    const { id } = await quarantined('order_unknown', notice(outTradeNo));
    const { body } = await operator.post(`/exceptions/${id}/adopt`, { note: '客户说已付款' }).expect(200);
    expect(body.data).toMatchObject({ outcome: 'released', wechatpay: 'paid' });
    await shop.backend.drain();
    expect((await shop.order(outTradeNo)).grants).toHaveLength(1);
    expect(await shown(id)).toMatchObject({ status: 'resolved', actions: [] });
    const again = await operator.post(`/exceptions/${id}/adopt`, { note: 'x' }).expect(200);
    expect(again.body.data.outcome).toBe('applied_already');
    expect(await auditOf(id)).toEqual([
      { actor: 'admin:olga', action: 'exception.adopted', reason: '客户说已付款' },
    ]);
  });

  // Prevents an exception from staying open for ever about a message that was applied since.
  it('ends the exception of a message that had failed ten times, once it is applied', async () => {
    const outTradeNo = await shop.paidOrder();
    const { id } = await quarantined('message_failed', notice(outTradeNo));
    await operator.post(`/exceptions/${id}/adopt`, { note: 'mended' }).expect(200);
    expect(await shown(id)).toMatchObject({ status: 'open' });
    await shop.backend.drain();
    expect(await shown(id)).toMatchObject({ status: 'resolved', resolvedBy: 'system:inbox' });
  });

  it('leaves the exception open while another message of the order is aside for the same reason', async () => {
    const outTradeNo = await shop.paidOrder();
    const { id, messageId } = await quarantined('message_failed', notice(outTradeNo));
    await shop.database.query(
      `INSERT INTO inbox_messages (topic, dedupe_key, out_trade_no, payload, status, outcome, received_at)
       SELECT 'of_a_later_version', ?, out_trade_no, payload, 'quarantined', outcome, received_at
         FROM inbox_messages WHERE id = ?`,
      [randomUUID().replaceAll('-', '').padEnd(64, '1'), messageId],
    );
    await operator.post(`/exceptions/${id}/adopt`, { note: 'mended' }).expect(200);
    await shop.backend.drain();
    expect(await shown(id)).toMatchObject({ status: 'open' });
    const [other] = await shop.database.query(
      "SELECT status, attempts FROM inbox_messages WHERE topic = 'of_a_later_version' AND out_trade_no = ?",
      [outTradeNo],
    );
    expect(other).toEqual({ status: 'pending', attempts: 1 });
    await shop.database.query('DELETE FROM inbox_messages WHERE out_trade_no = ?', [outTradeNo]);
  });

  it('sets what still cannot be applied before the operator again', async () => {
    const outTradeNo = newOutTradeNo();
    const { id } = await quarantined('order_unknown', notice(outTradeNo));
    const { body } = await operator.post(`/exceptions/${id}/adopt`, { note: 'x' }).expect(200);
    expect(body.data).toMatchObject({ outcome: 'released', wechatpay: 'not_found' });
    await shop.backend.drain();
    expect(await shown(id)).toMatchObject({ status: 'open', actions: ['adopt', 'dismiss'] });
  });

  it('has the effect of one when it is clicked three times at once', async () => {
    const outTradeNo = newOutTradeNo();
    const { id } = await quarantined('payment_unproven', notice(outTradeNo));
    const answers = await Promise.all(
      [1, 2, 3].map(() => operator.post(`/exceptions/${id}/adopt`, { note: 'x' }).expect(200)),
    );
    const outcomes = answers.map(({ body }) => body.data.outcome);
    expect(outcomes.filter((outcome) => outcome === 'released')).toHaveLength(1);
    expect(await auditOf(id)).toHaveLength(1);
  });

  it('goes on when WeChat Pay does not answer', async () => {
    const outTradeNo = await shop.paidOrder();
    const { id } = await quarantined('message_failed', notice(outTradeNo));
    shop.simulator.faults.next('error-before', { times: 6 });
    const { body } = await operator.post(`/exceptions/${id}/adopt`, { note: 'x' }).expect(200);
    expect(body.data).toMatchObject({ outcome: 'released', wechatpay: null });
  });

  it('refuses what has no message, what is dismissed, and kinds that no message can mend', async () => {
    const gone = await raise({ kind: 'message_failed', detail: { inboxMessageId: '4000000000' } });
    const first = await operator.post(`/exceptions/${gone}/adopt`, { note: 'x' }).expect(409);
    expect(first.body.error).toBe('message_gone');
    const aside = await raise({ kind: 'order_unknown', status: 'dismissed' });
    const second = await operator.post(`/exceptions/${aside}/adopt`, { note: 'x' }).expect(409);
    expect(second.body.error).toBe('exception_not_open');
    const other = await raise({ kind: 'order_conflict' });
    const third = await operator.post(`/exceptions/${other}/adopt`, { note: 'x' }).expect(409);
    expect(third.body.error).toBe('action_not_possible');
  });
});
