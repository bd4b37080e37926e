import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { OrderQueriesService } from '../../../src/payments/order-queries.service.js';
import { UsualPaymentsService } from '../../../src/payments/usual-payments.service.js';
import { InboxDrainService } from '../../../src/platform/inbox/inbox-drain.service.js';
import { OutboxRepository } from '../../../src/platform/outbox/outbox.repository.js';
import { notifyBody } from '../../support/builders.js';
import type { TestApplication } from '../../support/application.js';
import { findMoneyFaults } from '../../support/database.js';
import { readOrder } from '../../support/payments.js';
import { WechatpayBackend } from '../../support/wechatpay-backend.js';

/*
 * With WeChat Pay to be asked, a notice only says whom to ask about: many notices have their orders asked about together,
 * and what is answered meanwhile is recorded together.
 */

const ORDERS = 40;

let backend: WechatpayBackend;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
});
afterAll(() => backend.stop());
beforeEach(() => backend.heal());

/** Orders that are paid at WeChat Pay, and the notices of a function about them. */
async function paidOrders(count: number): Promise<string[]> {
  const numbers: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const outTradeNo = await backend.order({ user_id: `user-${n % 4}` });
    backend.pay(outTradeNo);
    numbers.push(outTradeNo);
  }
  const bodies = numbers.map((outTradeNo) => ({
    ...notifyBody({ outTradeNo }),
    transactionId: backend.simulator.ledger.getOrder(outTradeNo).payment?.transactionId,
  }));
  await Promise.all(bodies.map((body) => backend.application.post('notify', body).expect(200)));
  return numbers;
}

async function expectGranted(numbers: readonly string[]): Promise<void> {
  const grants = await backend.database.query<{ out_trade_no: string; granted_by: string }>(
    "SELECT out_trade_no, granted_by FROM entitlement_grants WHERE entry = 'grant' AND out_trade_no IN (?)",
    [numbers],
  );
  expect(grants.map((row) => row.out_trade_no).sort()).toEqual([...numbers].sort());
  expect(new Set(grants.map((row) => row.granted_by))).toEqual(new Set(['system:wechat-query']));
  expect(await findMoneyFaults(backend.database)).toEqual([]);
}

async function messagesBy(column: 'status' | 'outcome', numbers: readonly string[]): Promise<string[]> {
  const rows = await backend.database.query<Record<string, string>>(
    `SELECT DISTINCT ${column} FROM inbox_messages WHERE out_trade_no IN (?)`,
    [numbers],
  );
  return rows.map((row) => String(row[column]));
}

const makeDue = () =>
  backend.database.query("UPDATE inbox_messages SET available_at = NOW(3) WHERE status = 'pending'");

describe('many notices of payments that WeChat Pay has', () => {
  it('are asked about together, granted together on its word, and done with', async () => {
    const together = vi.spyOn(UsualPaymentsService.prototype, 'recordTogether');
    const numbers = await paidOrders(ORDERS);
    await backend.drain();
    expect(await messagesBy('status', numbers)).toEqual(['pending']);
    expect((await readOrder(backend.database, numbers[0] ?? '')).grants).toEqual([]);
    const asked = together.mock.settledResults.flatMap(({ value }) => [
      ...(value as Map<unknown, string>).values(),
    ]);
    expect(asked.length).toBeGreaterThan(ORDERS / 2);
    expect(new Set(asked)).toEqual(new Set(['asked']));
    together.mockClear();
    await backend.ask(...numbers);
    const largest = Math.max(...together.mock.calls.map(([, claims]) => claims.length));
    expect(largest).toBeGreaterThan(1); // otherwise this proves nothing
    together.mockRestore();
    await expectGranted(numbers);
    expect(await backend.database.query('SELECT * FROM order_queries')).toEqual([]);
    await makeDue();
    await backend.drain();
    expect(await messagesBy('outcome', numbers)).toEqual(['already_granted']);
    for (const outTradeNo of numbers) expect(backend.timesAsked(outTradeNo)).toBe(1);
  });

  // One answer that cannot be recorded must not hold up, or undo, those it came with.
  it('with one whose effect fails grants all others, and that one at a later question', async () => {
    const numbers = await paidOrders(ORDERS);
    const [poison = '', ...sound] = numbers;
    await backend.drain();
    const insert = vi.spyOn(OutboxRepository.prototype, 'insert').mockImplementation((tx, ...notices) => {
      if (notices.some(({ key }) => key.endsWith(poison))) throw new Error('the poisoned one');
      const rows = notices.map(({ topic, key, payload }) => [topic, key, JSON.stringify(payload)]);
      return tx.query('INSERT INTO outbox_messages (topic, message_key, payload) VALUES ?', [rows]);
    });
    await backend.ask(...numbers);
    insert.mockRestore();
    await expectGranted(sound);
    expect(await readOrder(backend.database, poison)).toMatchObject({
      order: { status: 'pending' },
      grants: [],
    });
    await backend.ask(poison);
    await expectGranted(numbers);
  });

  it('are granted once when two replicas apply them and ask at the same time', async () => {
    const replica = await backend.startReplica();
    await replica.whenAvailable();
    const work = async ({ app }: TestApplication) => {
      const { signal } = new AbortController();
      for (let round = 0; round < 4; round += 1) {
        await app.get(InboxDrainService).drain(signal);
        await app.get(OrderQueriesService).askDue({ stopping: signal, lease: null });
        await makeDue();
      }
    };
    try {
      const numbers = await paidOrders(ORDERS);
      await Promise.all([backend.application, replica, backend.application, replica].map(work));
      await expectGranted(numbers);
      await backend.drain();
      expect(await messagesBy('status', numbers)).toEqual(['handled']);
    } finally {
      await replica.stop();
    }
  });
});
