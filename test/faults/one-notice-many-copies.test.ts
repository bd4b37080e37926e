import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PaidSweepService } from '../../src/payments/paid-sweep.service.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow, newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import type { OrderBody } from '../support/builders.js';
import { createTestDatabase, findMoneyFaults } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { readOrder } from '../support/payments.js';
import { eventually } from '../support/until.ts';

const COPIES = 64;
const PREMIUM_CREDITS = 20;
const SWEEP_WINDOW_SECONDS = 150;

let database: TestDatabase;
let replicas: TestApplication[];

beforeEach(async () => {
  database = await createTestDatabase();
  replicas = [await startApplication(database), await startApplication(database)];
  await Promise.all(replicas.map((replica) => replica.whenAvailable()));
});

afterEach(async () => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await database.drop();
});

/** The same shuffle for the same seed (mulberry32), so that a failing order of events can be played again. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  let state = seed;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}

const replica = (index: number) => replicas[index % replicas.length] as TestApplication;

/** 64 copies of the notice, a repeated backup, and sweeps, all on both replicas. */
function commonEvents(order: OrderBody): (() => Promise<number>)[] {
  const notice = notifyBody(order);
  const copies = Array.from({ length: COPIES }, (_, index) => async () => {
    const { status } = await replica(index).post('notify', notice);
    return status;
  });
  const backups = replicas.map((one) => async () => (await one.post('order-created', order)).status);
  const sweeps = replicas.map((one) => async () => {
    await one.app
      .get(PaidSweepService)
      .sweepRecent(SWEEP_WINDOW_SECONDS, { lease: null, stopping: new AbortController().signal });
    return 200;
  });
  return [...copies, ...backups, ...sweeps];
}

/** What the cloud function's callback writes when the order is in its table: the row turns paid. */
async function turnPaid(order: OrderBody): Promise<number> {
  await database.query(
    "UPDATE payment_orders SET status = 'paid', transaction_id = ?, paid_at = NOW() WHERE out_trade_no = ?",
    [`4200${order.outTradeNo}`, order.outTradeNo],
  );
  return 200;
}

/** What it writes when the order is not there: a rescued row, of which only the amount is true. */
async function rescue(order: OrderBody): Promise<number> {
  try {
    await insertOrderRow(database, {
      id: `order-${order.outTradeNo}`,
      out_trade_no: order.outTradeNo,
      user_id: String(order.userId),
      transaction_id: `4200${order.outTradeNo}`,
      package_type: 'basic',
      status: 'paid',
    });
  } catch (error) {
    // The backup was there first, or at the same time, with the order or only with its user: the function gives up.
    expect(['ER_DUP_ENTRY', 'ER_LOCK_DEADLOCK']).toContain((error as { code?: string }).code);
  }
  return 200;
}

async function expectGrantedOnce(order: OrderBody): Promise<void> {
  await eventually(async () => {
    const [pending] = await database.query<{ n: string | number }>(
      "SELECT COUNT(*) AS n FROM inbox_messages WHERE status = 'pending'",
    );
    expect(Number(pending?.n)).toBe(0);
    expect((await readOrder(database, order.outTradeNo)).grants).toHaveLength(1);
  });
  const { grants, user, order: row, exceptions } = await readOrder(database, order.outTradeNo);
  expect(grants).toMatchObject([
    { entry: 'grant', package_type: 'premium', regenerate_delta: PREMIUM_CREDITS, user_id: order.userId },
  ]);
  expect(row).toMatchObject({
    status: 'paid',
    package_type: 'premium',
    transaction_id: `4200${order.outTradeNo}`,
  });
  expect(user).toMatchObject({ payment_status: 'premium', regenerate_count: 3 + PREMIUM_CREDITS });
  expect(exceptions.filter(({ status }) => status === 'open')).toEqual([]);
  expect(await findMoneyFaults(database)).toEqual([]);
}

// Prevents the double grant of check-then-act, which webhook and poller running together have caused in many shops.
describe.each([1, 2, 3, 4])('64 copies of one notice on two replicas, in the order of seed %i', (seed) => {
  it('grant once when the row is there and turns paid meanwhile', async () => {
    const order = orderCreatedBody({ outTradeNo: newOutTradeNo() });
    await insertOrderRow(database, { out_trade_no: order.outTradeNo, user_id: String(order.userId) });
    const events = shuffled([...commonEvents(order), () => turnPaid(order)], seed);
    const statuses = await Promise.all(events.map((happen) => happen()));
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    await expectGrantedOnce(order);
  });

  it('grant once when the order comes only by its backup, or by a rescued row', async () => {
    const order = orderCreatedBody({ outTradeNo: newOutTradeNo() });
    const events = shuffled([...commonEvents(order), () => rescue(order)], seed);
    const statuses = await Promise.all(events.map((happen) => happen()));
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    await expectGrantedOnce(order);
  });
});
