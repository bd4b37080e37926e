import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow } from '../support/builders.js';
import type { OrderRowValues } from '../support/builders.js';
import { createTestDatabase, findMoneyFaults } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { readOrder } from '../support/payments.js';
import { until } from '../support/until.ts';

const PICKED_UP_WITHIN_MS = 10_000;
/** Several times the pause between two looks of the sweep: it has passed the row while nobody could see it. */
const TRANSACTION_OPEN_MS = 8_000;
const ROWS = 20;

let database: TestDatabase;
let backend: TestApplication;

beforeEach(async () => {
  database = await createTestDatabase();
  backend = await startApplication(database);
  await backend.whenAvailable();
});

afterEach(async () => {
  await backend.stop();
  await database.drop();
});

const TURN_PAID =
  "UPDATE payment_orders SET status = 'paid', transaction_id = ?, paid_at = NOW() WHERE out_trade_no = ?";

/** @returns how long the slowest of these orders took from now to its grant */
async function measurePickUp(outTradeNos: string[]): Promise<number> {
  const startedMs = performance.now();
  await until(
    async () => {
      const grants = await database.query('SELECT id FROM entitlement_grants WHERE out_trade_no IN (?)', [
        outTradeNos,
      ]);
      expect(grants).toHaveLength(outTradeNos.length);
    },
    { withinMs: 2 * PICKED_UP_WITHIN_MS, everyMs: 25 },
  );
  return performance.now() - startedMs;
}

async function expectGrantedOnce(outTradeNos: string[]): Promise<void> {
  for (const outTradeNo of outTradeNos) {
    const { grants, user } = await readOrder(database, outTradeNo);
    expect(grants).toMatchObject([{ entry: 'grant', package_type: 'premium', granted_by: 'system:sweep' }]);
    expect(user).toMatchObject({ payment_status: 'premium', regenerate_count: 23 });
  }
  expect(await findMoneyFaults(database)).toEqual([]);
}

// Prevents money without entitlement: the callers notify at most once, and not at all when their process ends too soon.
describe('a row that a cloud function turned paid', () => {
  it('is granted within 10 s, although no notice ever comes', async () => {
    const rows = await Promise.all(Array.from({ length: ROWS }, () => insertOrderRow(database)));
    const numbers = rows.map((row) => row.out_trade_no);
    for (const outTradeNo of numbers) await database.query(TURN_PAID, [`4200${outTradeNo}`, outTradeNo]);
    const pickUpMs = await measurePickUp(numbers);
    console.log(`${ROWS} rows turned paid were granted ${Math.round(pickUpMs)} ms after the last commit`);
    expect(pickUpMs).toBeLessThan(PICKED_UP_WITHIN_MS);
    await expectGrantedOnce(numbers);
  });

  it('is granted when it was inserted as paid at once, as a rescued row is', async () => {
    const row = await insertOrderRow(database, { status: 'paid', transaction_id: `4200${Date.now()}` });
    expect(await measurePickUp([row.out_trade_no])).toBeLessThan(PICKED_UP_WITHIN_MS);
    await expectGrantedOnce([row.out_trade_no]);
  });

  // `updated_at` is the time of the statement: a sweep that remembers how far it got never looks there again.
  it('is granted within 10 s of a commit that came long after the statement', async () => {
    const late = await insertOrderRow(database);
    const later = await insertOrderRow(database);
    const writer = await database.connect();
    try {
      await writer.query('START TRANSACTION');
      await writer.query(TURN_PAID, [`4200${late.out_trade_no}`, late.out_trade_no]);
      // As after a transaction that was open for a minute.
      await writer.query(TURN_PAID.replace('paid_at = NOW()', 'updated_at = NOW() - INTERVAL 60 SECOND'), [
        `4200${later.out_trade_no}`,
        later.out_trade_no,
      ]);
      // Others are paid, committed and swept meanwhile.
      const meanwhile = await insertOrderRow(database, {
        status: 'paid',
        transaction_id: `4200${Date.now()}`,
      });
      await measurePickUp([meanwhile.out_trade_no]);
      await sleep(TRANSACTION_OPEN_MS);
      expect((await readOrder(database, late.out_trade_no)).grants).toEqual([]);
      await writer.query('COMMIT');
    } finally {
      await writer.end();
    }
    const numbers = [late.out_trade_no, later.out_trade_no];
    const pickUpMs = await measurePickUp(numbers);
    console.log(`rows committed late were granted ${Math.round(pickUpMs)} ms after the commit`);
    expect(pickUpMs).toBeLessThan(PICKED_UP_WITHIN_MS);
    await expectGrantedOnce(numbers);
  });

  // Orders that cannot be had for a while, because somebody works on their users, must not hold back all behind them.
  it.each([1, 5])('is granted within 10 s although %i rows before it are locked', async (lockedCount) => {
    const locked: OrderRowValues[] = [];
    for (let count = 0; count < lockedCount; count += 1) locked.push(await insertOrderRow(database));
    const behind = await insertOrderRow(database);
    const rival = await database.connect();
    try {
      await rival.query('START TRANSACTION');
      for (const { user_id, out_trade_no } of locked) {
        await rival.query('SELECT id FROM users WHERE id = ? FOR UPDATE', [user_id]);
        await database.query(TURN_PAID, [`4200${out_trade_no}`, out_trade_no]);
      }
      // Before the other one in the order of every sweep: by time, and by id.
      await database.query(
        'UPDATE payment_orders SET updated_at = NOW() - INTERVAL 5 SECOND WHERE id IN (?)',
        [locked.map(({ id }) => id)],
      );
      await database.query(TURN_PAID, [`4200${behind.out_trade_no}`, behind.out_trade_no]);
      const pickUpMs = await measurePickUp([behind.out_trade_no]);
      console.log(`the row behind ${lockedCount} locked ones was granted after ${Math.round(pickUpMs)} ms`);
      expect(pickUpMs).toBeLessThan(PICKED_UP_WITHIN_MS);
      for (const { out_trade_no } of locked)
        expect((await readOrder(database, out_trade_no)).grants).toEqual([]);
    } finally {
      await rival.end();
    }
    const numbers = [...locked, behind].map((row) => row.out_trade_no);
    await measurePickUp(numbers);
    await expectGrantedOnce(numbers);
  });
});
