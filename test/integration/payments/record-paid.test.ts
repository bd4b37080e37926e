import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { insertOrderRow, newOutTradeNo } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { readOrder, recordPaid } from '../../support/payments.js';

/** No jobs run in this role, so that only recordPaid acts. */
const NO_JOBS = { ROLE: 'api' };
const REGENERATE_OPENING = 3;

describe('recordPaid', () => {
  let database: TestDatabase;
  let application: TestApplication;

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await startApplication(database, NO_JOBS);
    await application.whenAvailable();
  });
  afterAll(async () => {
    await application.stop();
    await database.drop();
  });

  it('turns a pending order paid and raises its user once when the same notice arrives twice', async () => {
    const { out_trade_no: number } = await insertOrderRow(database);
    expect(await recordPaid(application, number)).toBe('granted');
    expect(await recordPaid(application, number)).toBe('already_granted');
    const { order, user, grants } = await readOrder(database, number);
    expect(order).toMatchObject({ status: 'paid', transaction_id: `4200${number}`, package_type: 'premium' });
    expect(order?.paid_at).toBeInstanceOf(Date);
    expect(user).toMatchObject({ payment_status: 'premium', regenerate_count: REGENERATE_OPENING + 20 });
    expect(grants).toMatchObject([{ entry: 'grant', regenerate_delta: 20, granted_by: 'system:notify' }]);
  });

  // The function usually has written "paid" before it notifies: the grant must not hinge on the transition.
  it('grants an order whose row is paid already, and keeps what the row says about the payment', async () => {
    const paidAt = new Date('2026-02-03T04:05:06Z');
    const row = await insertOrderRow(database, {
      status: 'paid',
      transaction_id: '4200999',
      paid_at: paidAt,
    });
    expect(await recordPaid(application, row.out_trade_no, { transactionId: '4200999' })).toBe('granted');
    const { order } = await readOrder(database, row.out_trade_no);
    expect(order).toMatchObject({ transaction_id: '4200999', paid_at: paidAt });
  });

  it('stages one notice about the payment, without an openid', async () => {
    const row = await insertOrderRow(database, { _openid: 'oSecretPayer' });
    await recordPaid(application, row.out_trade_no);
    await recordPaid(application, row.out_trade_no);
    const notices = await database.query(
      'SELECT CAST(payload AS CHAR) AS payload FROM outbox_messages WHERE message_key = ?',
      [`payment_succeeded:${row.out_trade_no}`],
    );
    expect(notices).toHaveLength(1);
    expect(String(notices[0]?.payload)).not.toContain('oSecretPayer');
    expect(JSON.parse(String(notices[0]?.payload))).toMatchObject({
      packageType: 'premium',
      amountFen: 2990,
    });
  });

  it('unlocks the generation that was paid for, and only one of the same user', async () => {
    const row = await insertOrderRow(database);
    const mine = `gen-${row.out_trade_no}`;
    const theirs = `gen-x${row.out_trade_no}`;
    const insert = "INSERT INTO generation_history (id, user_id, status) VALUES (?, ?, 'completed')";
    await database.query(insert, [mine, row.user_id]);
    await database.query(insert, [theirs, 'somebody-else']);
    await recordPaid(application, row.out_trade_no, { generationId: mine });
    const other = await insertOrderRow(database);
    await recordPaid(application, other.out_trade_no, { generationId: theirs });
    const read = (id: string) => database.query('SELECT * FROM generation_history WHERE id = ?', [id]);
    expect(await read(mine)).toMatchObject([{ package_type: 'premium', unlocked_by_order_id: row.id }]);
    expect(await read(theirs)).toMatchObject([{ package_type: null, unlocked_at: null }]);
  });

  // Clients can choose the amount: a premium package for 0.01 is one request away.
  it('holds a premium order that was paid 0.01, with a reason, and grants nothing however often it is told', async () => {
    const { out_trade_no: number } = await insertOrderRow(database, { amount: '0.01' });
    expect(await recordPaid(application, number)).toBe('held');
    expect(await recordPaid(application, number)).toBe('held');
    const { order, user, grants, exceptions } = await readOrder(database, number);
    expect(order?.status).toBe('paid');
    expect(user).toMatchObject({ payment_status: 'free', regenerate_count: REGENERATE_OPENING });
    expect(grants).toEqual([]);
    expect(exceptions).toMatchObject([{ kind: 'payment_held', status: 'open' }]);
    expect(exceptions[0]?.reason).toContain('0.01 yuan was paid for the package "premium"');
  });

  it('repairs a rescued row that says basic but was paid 29.90 to premium, and says so in the audit log', async () => {
    const number = newOutTradeNo();
    await insertOrderRow(database, {
      id: `order-${number}`,
      out_trade_no: number,
      package_type: 'basic',
      status: 'paid',
      transaction_id: `4200${number}`,
    });
    expect(await recordPaid(application, number)).toBe('granted');
    const { order, user, grants } = await readOrder(database, number);
    expect(order?.package_type).toBe('premium');
    expect(user?.payment_status).toBe('premium');
    expect(grants).toMatchObject([{ package_type: 'premium' }]);
    const audit = await database.query('SELECT action FROM audit_logs WHERE target_id = ?', [number]);
    expect(audit).toEqual([{ action: 'order.package_repaired' }]);
  });

  it('does not take a basic order with a premium amount for a rescued one', async () => {
    const { out_trade_no: number } = await insertOrderRow(database, { package_type: 'basic' });
    expect(await recordPaid(application, number)).toBe('held');
  });

  it('never lowers premium by a later basic, and adds the credits of both', async () => {
    const premium = await insertOrderRow(database);
    const basic = await insertOrderRow(database, {
      user_id: premium.user_id,
      amount: '0.01',
      package_type: 'basic',
    });
    await recordPaid(application, premium.out_trade_no);
    await recordPaid(application, basic.out_trade_no);
    const { user } = await readOrder(database, basic.out_trade_no);
    expect(user).toMatchObject({ payment_status: 'premium', regenerate_count: REGENERATE_OPENING + 20 + 5 });
  });

  it('grants nothing for a duplicate after a refund', async () => {
    const { out_trade_no: number } = await insertOrderRow(database);
    await recordPaid(application, number);
    await database.query("UPDATE payment_orders SET status = 'refunded' WHERE out_trade_no = ?", [number]);
    expect(await recordPaid(application, number)).toBe('refunded');
    // A late duplicate callback makes the function set the row back to paid and notify again.
    await database.query("UPDATE payment_orders SET status = 'paid' WHERE out_trade_no = ?", [number]);
    expect(await recordPaid(application, number)).toBe('already_granted');
    expect((await readOrder(database, number)).user?.regenerate_count).toBe(REGENERATE_OPENING + 20);
  });

  it('bars an order that was refunded before anything was granted', async () => {
    const { out_trade_no: number } = await insertOrderRow(database, { status: 'refunded' });
    expect(await recordPaid(application, number)).toBe('refunded');
    await database.query("UPDATE payment_orders SET status = 'paid' WHERE out_trade_no = ?", [number]);
    expect(await recordPaid(application, number)).toBe('refunded');
    const { user, grants } = await readOrder(database, number);
    expect(user?.payment_status).toBe('free');
    expect(grants).toMatchObject([{ entry: 'revocation', regenerate_delta: 0 }]);
  });

  // The function set a refunded row back to paid before anything here had seen the order at all.
  it('grants nothing for an order whose money went back, and says so', async () => {
    const { out_trade_no: number } = await insertOrderRow(database, { status: 'paid' });
    await database.query(
      `INSERT INTO refunds (id, out_refund_no, out_trade_no, refund_amount, total_amount, status)
       VALUES (?, ?, ?, 29.90, 29.90, 'success')`,
      [`refund-${number}`, `R${number}`, number],
    );
    expect(await recordPaid(application, number)).toBe('held');
    const { user, exceptions } = await readOrder(database, number);
    expect(user?.payment_status).toBe('free');
    expect(exceptions).toMatchObject([{ kind: 'payment_held' }]);
    expect(exceptions[0]?.reason).toContain('refunded');
  });

  it('reopens a failed order when its payment comes late, and records why', async () => {
    const { out_trade_no: number } = await insertOrderRow(database, { status: 'failed' });
    expect(await recordPaid(application, number)).toBe('granted');
    expect((await readOrder(database, number)).order?.status).toBe('paid');
    const audit = await database.query('SELECT action, reason FROM audit_logs WHERE target_id = ?', [number]);
    expect(audit).toMatchObject([{ action: 'order.reopened' }]);
  });

  it('believes a claim without a transaction only when the row is paid', async () => {
    const { out_trade_no: number } = await insertOrderRow(database);
    expect(await recordPaid(application, number, { transactionId: null })).toBe('unproven');
    expect((await readOrder(database, number)).order?.status).toBe('pending');
    await database.query("UPDATE payment_orders SET status = 'paid' WHERE out_trade_no = ?", [number]);
    expect(await recordPaid(application, number, { transactionId: null })).toBe('granted');
  });

  it('answers that an order is unknown and writes nothing', async () => {
    const number = newOutTradeNo();
    expect(await recordPaid(application, number)).toBe('order_unknown');
    expect(await readOrder(database, number)).toMatchObject({ order: undefined, grants: [], exceptions: [] });
  });

  // One WeChat transaction pays one order: a replayed transaction id must not pay another.
  it('holds an order whose transaction has paid another one', async () => {
    const first = await insertOrderRow(database);
    const second = await insertOrderRow(database);
    await recordPaid(application, first.out_trade_no, { transactionId: '4200777' });
    expect(await recordPaid(application, second.out_trade_no, { transactionId: '4200777' })).toBe('held');
    const { order, grants } = await readOrder(database, second.out_trade_no);
    expect(order).toMatchObject({ status: 'pending', transaction_id: null });
    expect(grants).toEqual([]);
  });

  // A hold that somebody's wrong claim caused must not hide the order from the sweep for ever.
  it('does not take a claim with the transaction of another order for a hold of this one', async () => {
    const first = await insertOrderRow(database);
    const second = await insertOrderRow(database);
    await recordPaid(application, first.out_trade_no, { transactionId: '4200666' });
    await recordPaid(application, second.out_trade_no, { transactionId: '4200666' });
    const { exceptions } = await readOrder(database, second.out_trade_no);
    expect(exceptions).toMatchObject([{ kind: 'transaction_mismatch', status: 'open' }]);
    expect(await recordPaid(application, second.out_trade_no)).toBe('granted');
  });

  // A friend who scans the code pays with their own openid; it must not become the identity of the account.
  it('never gives a user the openid of whoever paid', async () => {
    const row = await insertOrderRow(database);
    await recordPaid(application, row.out_trade_no, { openid: 'oFriendWhoPaid' });
    const { user } = await readOrder(database, row.out_trade_no);
    expect(user).toMatchObject({ payment_status: 'premium', openid: null });
  });

  // The sweep may be first, and the notice alone knows the generation.
  it('unlocks the generation also when the order was granted before the notice named it', async () => {
    const row = await insertOrderRow(database, { status: 'paid' });
    const generationId = `gen-late-${row.out_trade_no}`;
    await database.query("INSERT INTO generation_history (id, user_id, status) VALUES (?, ?, 'completed')", [
      generationId,
      row.user_id,
    ]);
    await recordPaid(application, row.out_trade_no, { source: 'sweep', transactionId: null });
    expect(await recordPaid(application, row.out_trade_no, { generationId })).toBe('already_granted');
    const rows = await database.query('SELECT package_type FROM generation_history WHERE id = ?', [
      generationId,
    ]);
    expect(rows).toEqual([{ package_type: 'premium' }]);
  });

  it('keeps the transaction of the row and tells the operator about another one', async () => {
    const row = await insertOrderRow(database, { status: 'paid', transaction_id: '4200888' });
    expect(await recordPaid(application, row.out_trade_no, { transactionId: '4200889' })).toBe('granted');
    const { order, exceptions } = await readOrder(database, row.out_trade_no);
    expect(order?.transaction_id).toBe('4200888');
    expect(exceptions).toMatchObject([{ kind: 'transaction_mismatch', status: 'open' }]);
  });

  it('accepts the merchant number in place of the transaction, as very old rows have it', async () => {
    const number = newOutTradeNo();
    await insertOrderRow(database, { out_trade_no: number, transaction_id: number, status: 'paid' });
    expect(await recordPaid(application, number)).toBe('granted');
    expect((await readOrder(database, number)).exceptions).toEqual([]);
  });

  it('grants for a price that was in force while callers had it cached, and holds one that was not', async () => {
    await database.query(
      `INSERT INTO price_configs (package_type, amount_fen, effective_at, author) VALUES
         ('premium', 1990, '2026-05-01 00:00:00', 'test'), ('premium', 4990, '2026-05-01 12:00:00', 'test')`,
    );
    const at = (time: string) => ({ amount: '19.90', created_at: new Date(`2026-05-01T${time}Z`) });
    const during = await insertOrderRow(database, at('11:59:00'));
    const cached = await insertOrderRow(database, at('12:09:00'));
    const stale = await insertOrderRow(database, at('12:11:00'));
    expect(await recordPaid(application, during.out_trade_no)).toBe('granted');
    expect(await recordPaid(application, cached.out_trade_no)).toBe('granted');
    expect(await recordPaid(application, stale.out_trade_no)).toBe('held');
    // Callers that cannot reach the backend charge the fallback price at any time.
    const fallback = await insertOrderRow(database, { created_at: new Date('2026-05-02T00:00:00Z') });
    expect(await recordPaid(application, fallback.out_trade_no)).toBe('granted');
  });
});
