import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { placeholderUserId } from '../../src/shared/ids.js';
import type { OutTradeNo } from '../../src/shared/ids.js';
import type { AdminClient } from '../support/admin.js';
import { newOutTradeNo } from '../support/builders.js';
import { raiseException } from '../support/exceptions.js';
import { grant, HeldPayments, refund } from '../support/held-payments.js';
import type { RefundBackend } from '../support/refund-backend.js';
import { until } from '../support/until.ts';

const CREDITS = { basic: 5, premium: 20 } as const;
const CREDITS_AT_FIRST = 3;
const ROUNDS = 6;

let payments: HeldPayments;
let shop: RefundBackend;
let olga: AdminClient;
let oleg: AdminClient;

beforeAll(async () => {
  payments = await HeldPayments.start();
  ({ shop, olga, oleg } = payments);
});
afterAll(() => payments.stop());
beforeEach(() => shop.backend.heal());

describe('POST /api/admin/exceptions/:id/grant', () => {
  it('grants in the one way: ledger, user, generation, notice, exception, audit', async () => {
    const generationId = `gen-${newOutTradeNo()}`;
    const { id, outTradeNo, userId } = await payments.held({
      generation_id: generationId,
      package_type: 'premium',
    });
    await shop.database.query('INSERT INTO generation_history (id, user_id) VALUES (?, ?)', [
      generationId,
      userId,
    ]);
    expect((await payments.shown(id)).actions).toEqual(['grant', 'refund', 'dismiss']);
    const { body } = await grant(olga, id, 'basic', '按基础版开通').expect(200);
    expect(body.data).toMatchObject({
      outcome: 'granted',
      exception: {
        status: 'resolved',
        actions: [],
        resolvedBy: 'admin:olga',
        resolution: 'granted basic: 按基础版开通',
      },
    });
    const state = await shop.order(outTradeNo);
    expect(state.grants).toMatchObject([
      { entry: 'grant', user_id: userId, package_type: 'basic', granted_by: 'admin:olga' },
    ]);
    expect(state.user).toMatchObject({
      payment_status: 'basic',
      regenerate_count: CREDITS_AT_FIRST + CREDITS.basic,
    });
    expect(state.order).toMatchObject({ status: 'paid', package_type: 'basic' });
    const [generation] = await shop.database.query(
      'SELECT package_type, unlocked_by_order_id FROM generation_history WHERE id = ?',
      [generationId],
    );
    expect(generation).toEqual({ package_type: 'basic', unlocked_by_order_id: state.order?.id });
    const staged = await shop.database.query<{ payload: unknown }>(
      'SELECT payload FROM outbox_messages WHERE message_key = ?',
      [`payment_succeeded:${outTradeNo}`],
    );
    expect(staged).toHaveLength(1);
    expect(JSON.stringify(staged)).toContain('1234');
    const audit = await shop.database.query(
      'SELECT actor, action, reason FROM audit_logs WHERE target_id = ?',
      [outTradeNo],
    );
    expect(audit).toEqual([{ actor: 'admin:olga', action: 'order.granted', reason: '按基础版开通' }]);
  });

  it('says so when the same was granted, and refuses another package', async () => {
    const { id, outTradeNo } = await payments.held();
    await grant(olga, id).expect(200);
    const again = await grant(oleg, id).expect(200);
    expect(again.body.data.outcome).toBe('already_granted');
    const other = await grant(olga, id, 'basic').expect(409);
    expect(other.body.error).toBe('already_granted');
    expect((await shop.order(outTradeNo)).grants).toHaveLength(1);
  });

  it('is left alone by whatever tells of the payment later', async () => {
    const { id, outTradeNo } = await payments.held();
    await grant(olga, id).expect(200);
    await shop.backend.sweep();
    await shop.backend.ask(outTradeNo);
    expect((await shop.order(outTradeNo)).grants).toHaveLength(1);
    expect((await payments.shown(id)).status).toBe('resolved');
  });

  it('refuses an order whose money goes back, also in part, or went back', async () => {
    const { id, outTradeNo } = await payments.held();
    await refund(olga, id, { amount: '2.34' }).expect(202);
    expect((await payments.shown(id)).actions).toEqual(['refund', 'dismiss']);
    const underWay = await grant(olga, id).expect(409);
    expect(underWay.body.error).toBe('order_refunded');
    await refund(olga, id).expect(202);
    await shop.settleUntilDone(outTradeNo);
    const over = await grant(olga, id).expect(409);
    expect(over.body.error).toBe('order_refunded');
    const state = await shop.order(outTradeNo);
    expect(state.grants.filter(({ entry }) => entry === 'grant')).toEqual([]);
    expect(state.user).toMatchObject({ payment_status: 'free', regenerate_count: CREDITS_AT_FIRST });
  });

  it('refuses an order that is not paid, is unknown, has no owner, or whose transaction paid another', async () => {
    const { outTradeNo: first, id: firstId } = await payments.held();
    const { order } = await shop.order(first);
    const shared = await payments.held({ transaction_id: order?.transaction_id as string });
    await grant(olga, firstId).expect(200);
    expect((await grant(olga, shared.id).expect(409)).body.error).toBe('transaction_used');
    expect((await payments.shown(shared.id)).status).toBe('open');
    const number = newOutTradeNo();
    const nobodysOrder = await payments.held({
      user_id: placeholderUserId(number as OutTradeNo),
      out_trade_no: number,
    });
    expect((await grant(olga, nobodysOrder.id).expect(409)).body.error).toBe('beneficiary_unknown');
    const pending = await payments.held();
    await shop.database.query("UPDATE payment_orders SET status = 'pending' WHERE out_trade_no = ?", [
      pending.outTradeNo,
    ]);
    expect((await grant(olga, pending.id).expect(409)).body.error).toBe('order_not_paid');
    expect((await payments.shown(pending.id)).actions).toEqual(['dismiss']);
    const nobodys = await raiseException(shop.database, { kind: 'payment_held' });
    await grant(olga, nobodys).expect(404);
    const subject = `not a number ${newOutTradeNo()}`;
    const unreadable = await raiseException(shop.database, { kind: 'payment_held', subject });
    expect((await grant(olga, unreadable).expect(409)).body.error).toBe('order_unreadable');
    expect((await payments.shown(unreadable)).actions).toEqual(['dismiss']);
    const conflict = await raiseException(shop.database, {
      kind: 'order_conflict',
      subject: pending.outTradeNo,
    });
    expect((await grant(olga, conflict).expect(409)).body.error).toBe('action_not_possible');
  });

  it.each([
    ['packageType', { note: 'x' }],
    ['packageType', { note: 'x', packageType: 'free' }],
    ['note', { packageType: 'basic' }],
    ['userId', { note: 'x', packageType: 'basic', userId: 'me' }],
  ])('names %s in what it refuses, and leaves everything', async (field, body) => {
    const { id, outTradeNo } = await payments.held();
    const answer = await olga.post(`/exceptions/${id}/grant`, body).expect(400);
    expect(answer.body.message).toContain(field);
    expect((await shop.order(outTradeNo)).grants).toEqual([]);
  });
});

describe('grants that race', () => {
  it('for the same package on two replicas grant once, and both are told so', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, outTradeNo } = await payments.held();
      const answers = await Promise.all([olga, oleg, olga, oleg].map((by) => grant(by, id).expect(200)));
      const outcomes = answers.map(({ body }) => body.data.outcome);
      expect(outcomes.filter((outcome) => outcome === 'granted')).toHaveLength(1);
      const { grants, user } = await shop.order(outTradeNo);
      expect(grants).toHaveLength(1);
      expect(user?.regenerate_count).toBe(CREDITS_AT_FIRST + CREDITS.premium);
    }
  });

  it('for two packages on two replicas grant one of them', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, outTradeNo } = await payments.held();
      const answers = await Promise.all([grant(olga, id, 'basic'), grant(oleg, id, 'premium')]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
      const { grants, user, order } = await shop.order(outTradeNo);
      expect(grants).toHaveLength(1);
      expect(user?.payment_status).toBe(grants[0]?.package_type);
      expect(order?.package_type).toBe(grants[0]?.package_type);
    }
  });

  it('with a refund request and the sweep never leave a refunded order granted', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { id, outTradeNo } = await payments.held();
      const [granted, refunded] = await Promise.all([
        grant(olga, id),
        refund(oleg, id),
        shop.backend.sweep(),
        shop.backend.ask(outTradeNo),
      ]);
      if (refunded.status === 202) await shop.settleUntilDone(outTradeNo);
      await shop.backend.sweep();
      const { order, grants, user } = await shop.order(outTradeNo);
      const lines = grants.map(({ entry }) => entry);
      if (refunded.status === 202) {
        expect(order?.status).toBe('refunded');
        expect(lines.at(-1)).toBe('revocation');
        expect(lines.filter((entry) => entry === 'grant')).toHaveLength(granted.status === 200 ? 1 : 0);
        expect(user).toMatchObject({ payment_status: 'free', regenerate_count: CREDITS_AT_FIRST });
      } else {
        expect([refunded.status, refunded.body.error]).toEqual([409, 'exception_not_open']);
        expect([granted.status, order?.status, lines]).toEqual([200, 'paid', ['grant']]);
      }
      expect((await payments.shown(id)).status).toBe('resolved');
    }
  });

  // Prevents an operator from being told of a fault where another try in a moment will do.
  it('with somebody who keeps the order locked are told to come back, and change nothing', async () => {
    const { id, outTradeNo } = await payments.held();
    const holder = await shop.database.connect();
    try {
      await holder.beginTransaction();
      await holder.query('SELECT id FROM payment_orders WHERE out_trade_no = ? FOR UPDATE', [outTradeNo]);
      const answer = await grant(olga, id);
      expect([answer.status, answer.body.error]).toEqual([503, 'busy']);
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      await holder.rollback();
      await grant(olga, id).expect(200);
    } finally {
      await holder.end();
    }
  });

  // The interleaving: the refund is written under the order's lock, the grant waits for it, the refund commits.
  it('with a refund that is being written wait for it, and then refuse', async () => {
    const { id, outTradeNo } = await payments.held();
    const writer = await shop.database.connect();
    try {
      await writer.beginTransaction();
      await writer.query('SELECT id FROM payment_orders WHERE out_trade_no = ? FOR UPDATE', [outTradeNo]);
      await writer.query(
        "INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, status) VALUES (?, ?, ?, 12.34, 12.34, 'pending')",
        [`r-${outTradeNo}`, `R${outTradeNo}`, outTradeNo],
      );
      const waiting = grant(olga, id).then((answer) => answer);
      await until(
        async () => {
          const found = await shop.database.query(
            `SELECT ID FROM information_schema.PROCESSLIST
              WHERE DB = DATABASE() AND ID <> CONNECTION_ID() AND INFO LIKE '%FROM payment_orders%FOR UPDATE%'`,
          );
          expect(found.length).toBeGreaterThan(0);
        },
        { withinMs: 900, everyMs: 10 },
      );
      await writer.commit();
      expect((await waiting).body.error).toBe('order_refunded');
      expect((await shop.order(outTradeNo)).grants).toEqual([]);
    } finally {
      await writer.end();
    }
  });
});
