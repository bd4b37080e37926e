import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InboxDrainService } from '../../../src/platform/inbox/inbox-drain.service.js';
import { InboxService } from '../../../src/platform/inbox/inbox.service.js';
import { AppLogger } from '../../../src/platform/logging/app-logger.js';
import { OutboxRepository } from '../../../src/platform/outbox/outbox.repository.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { insertOrderRow } from '../../support/builders.js';
import { createTestDatabase, findMoneyFaults } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { readOrder } from '../../support/payments.js';
import { eventually } from '../../support/until.ts';

const ORDERS = 30;
const DRAINS = 6;

describe('a batch of notices', () => {
  let database: TestDatabase;
  let first: TestApplication;
  let second: TestApplication;

  beforeAll(async () => {
    database = await createTestDatabase();
    first = await startApplication(database, { ROLE: 'api' }); // drained only where the tests say so
    await first.whenAvailable();
    second = await startApplication(database, { ROLE: 'api' });
    await second.whenAvailable();
  });
  afterAll(async () => {
    await first.stop();
    await second.stop();
    await database.drop();
  });

  const drain = ({ app }: TestApplication) => app.get(InboxDrainService).drain(new AbortController().signal);

  /** Pending orders, a few of each user, and a notice of each. */
  async function noticesOf(orders: number, userId?: string): Promise<string[]> {
    const numbers: string[] = [];
    for (let n = 0; n < orders; n += 1) {
      const row = await insertOrderRow(database, userId ? { user_id: userId } : {});
      const outTradeNo = row.out_trade_no;
      numbers.push(outTradeNo);
      const payload = { outTradeNo, transactionId: `4200${outTradeNo}`, status: 'paid', openid: null };
      await first.app
        .get(InboxService)
        .accept({ topic: 'payment_notified', outTradeNo, identity: payload, payload });
    }
    return numbers;
  }

  async function expectGranted(numbers: readonly string[]): Promise<void> {
    const granted = await database.query<{ out_trade_no: string }>(
      "SELECT out_trade_no FROM entitlement_grants WHERE entry = 'grant' AND out_trade_no IN (?)",
      [numbers],
    );
    expect(granted.map((row) => row.out_trade_no).sort()).toEqual([...numbers].sort());
    expect(await findMoneyFaults(database)).toEqual([]);
  }

  // One message that cannot be applied must not hold up, or undo, the others of its batch.
  it('with one that always fails grants all others, and sets that one before an operator in the end', async () => {
    const numbers = await noticesOf(ORDERS);
    const [poison = '', ...sound] = numbers;
    const insert = vi.spyOn(OutboxRepository.prototype, 'insert').mockImplementation((tx, ...notices) => {
      if (notices.some(({ key }) => key.endsWith(poison))) throw new Error('the poisoned one');
      const rows = notices.map(({ topic, key, payload }) => [topic, key, JSON.stringify(payload)]);
      return tx.query('INSERT INTO outbox_messages (topic, message_key, payload) VALUES ?', [rows]);
    });
    await drain(first);
    await expectGranted(sound);
    expect((await readOrder(database, poison)).grants).toEqual([]);
    const [message] = await database.query(
      'SELECT status, attempts FROM inbox_messages WHERE out_trade_no = ?',
      [poison],
    );
    expect(message?.status).toBe('pending');
    expect(Number(message?.attempts)).toBeGreaterThan(0); // on a slow machine its second try came meanwhile
    insert.mockRestore();
    await database.query('UPDATE inbox_messages SET available_at = NOW(3)');
    await drain(first);
    await expectGranted(numbers);
  });

  // Deadlock: the rival holds a user that a notice wants, and wants the order that it holds.
  it('of which one meets a deadlock is applied all the same, once', async () => {
    const numbers = await noticesOf(ORDERS, 'user-of-two-lanes');
    const rival = await database.connect();
    try {
      await rival.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
      await rival.query('SET innodb_lock_wait_timeout = 1');
      await rival.beginTransaction();
      await rival.query("SELECT id FROM users WHERE id = 'user-of-two-lanes' FOR UPDATE");
      const draining = drain(first);
      const held = await eventually(async () => {
        const [row] = await database.query<{ out_trade_no: string }>(
          `SELECT out_trade_no FROM payment_orders WHERE out_trade_no IN (?) AND out_trade_no NOT IN
             (SELECT out_trade_no FROM (SELECT out_trade_no FROM payment_orders WHERE out_trade_no IN (?) FOR UPDATE SKIP LOCKED) AS f)`,
          [numbers, numbers],
        );
        if (!row) throw new Error('all orders are free');
        return row.out_trade_no;
      });
      const wanted = rival.query('SELECT id FROM payment_orders WHERE out_trade_no = ? FOR UPDATE', [held]);
      await wanted.catch(() => undefined);
      await rival.rollback();
      await draining;
    } finally {
      await rival.end();
    }
    await database.query('UPDATE inbox_messages SET available_at = NOW(3)');
    await drain(first);
    await expectGranted(numbers);
  });

  it('is shared by two replicas that drain at once, and each order is granted once', async () => {
    const numbers = [...(await noticesOf(ORDERS)), ...(await noticesOf(ORDERS, 'user-of-many-orders'))];
    await Promise.all(Array.from({ length: DRAINS }, (_, n) => drain(n % 2 === 0 ? first : second)));
    await database.query('UPDATE inbox_messages SET available_at = NOW(3)');
    await drain(first);
    await expectGranted(numbers);
  });

  // A notice and the sweep meet at one order, each with a set of its own.
  it('leaves an order that somebody holds for later, and grants the others meanwhile', async () => {
    const numbers = await noticesOf(ORDERS);
    const holder = await database.connect();
    try {
      await holder.beginTransaction();
      await holder.query('SELECT id FROM payment_orders WHERE out_trade_no = ? FOR UPDATE', [numbers[0]]);
      await drain(first);
      await expectGranted(numbers.slice(1));
      await holder.rollback();
    } finally {
      await holder.end();
    }
    await database.query('UPDATE inbox_messages SET available_at = NOW(3)');
    await drain(first);
    await expectGranted(numbers);
  });

  it('leaves a user whom somebody holds for later, and is not undone for it', async () => {
    const numbers = [...(await noticesOf(1, 'user-held')), ...(await noticesOf(ORDERS))];
    const warned = vi.spyOn(AppLogger.prototype, 'warned');
    const holder = await database.connect();
    try {
      await holder.beginTransaction();
      await holder.query("SELECT id FROM users WHERE id = 'user-held' FOR UPDATE");
      await drain(first);
      await expectGranted(numbers.slice(1));
      expect(warned.mock.calls.map(([event]) => event)).not.toContain('inbox.batch_failed');
      await holder.rollback();
    } finally {
      await holder.end();
      warned.mockRestore();
    }
    await database.query('UPDATE inbox_messages SET available_at = NOW(3)');
    await drain(first);
    await expectGranted(numbers);
  });
});
