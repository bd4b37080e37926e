import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { insertOrderRow, notifyBody, orderCreatedBody } from '../support/builders.js';
import type { OrderBody } from '../support/builders.js';
import { createPlainUser, createTestDatabase, findMoneyFaults } from '../support/database.js';
import type { PlainUser, TestDatabase } from '../support/database.js';
import { readOrder } from '../support/payments.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { eventually, until } from '../support/until.ts';

let database: TestDatabase;
let user: PlainUser;
let proxy: TcpProxy;
let backend: TestApplication;

beforeEach(async () => {
  database = await createTestDatabase();
  user = await createPlainUser(database);
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  backend = await startApplication(database, { ...user.env, ...proxy.env });
  await backend.whenAvailable();
});

afterEach(async () => {
  await backend.stop();
  await proxy.close();
  await user.drop();
  await database.drop();
});

const insertRows = (count: number) =>
  Promise.all(Array.from({ length: count }, async () => (await insertOrderRow(database)).out_trade_no));

async function postAll(path: 'order-created' | 'notify', bodies: OrderBody[]): Promise<void> {
  const answers = await Promise.all(bodies.map((body) => backend.post(path, body)));
  expect(answers.map(({ status }) => status)).toEqual(bodies.map(() => 200));
}

async function expectGrantedOnce(outTradeNos: string[], timeoutMs = 30_000): Promise<void> {
  await until(
    async () => {
      const [open] = await database.query(
        "SELECT COUNT(*) AS n FROM inbox_messages WHERE status <> 'handled'",
      );
      expect(Number(open?.n)).toBe(0);
      const [granted] = await database.query(
        "SELECT COUNT(*) AS n FROM entitlement_grants WHERE entry = 'grant' AND out_trade_no IN (?)",
        [outTradeNos],
      );
      expect(Number(granted?.n)).toBe(outTradeNos.length);
    },
    { withinMs: timeoutMs, everyMs: 50 },
  );
  expect(await findMoneyFaults(database)).toEqual([]);
}

// Prevents the double grant of "it failed, so I do it again": the commit was done, only its answer was lost.
describe('an answer of the database that never arrives', () => {
  const LOST = 8;

  it('to COMMIT of a grant leaves one grant', async () => {
    const numbers = await insertRows(2 * LOST);
    proxy.loseAnswersTo('COMMIT', LOST);
    await postAll(
      'notify',
      numbers.map((outTradeNo) => notifyBody({ outTradeNo })),
    );
    await expectGrantedOnce(numbers);
    expect(proxy.answersLost).toBe(LOST);
  });

  it('to COMMIT of a backed-up order leaves one order', async () => {
    const orders = Array.from({ length: LOST }, () => orderCreatedBody());
    proxy.loseAnswersTo('COMMIT', LOST);
    await postAll('order-created', orders);
    await postAll(
      'notify',
      orders.map((order) => notifyBody(order)),
    );
    await expectGrantedOnce(orders.map(({ outTradeNo }) => outTradeNo));
    expect(proxy.answersLost).toBe(LOST);
    const [rows] = await database.query('SELECT COUNT(*) AS n FROM payment_orders');
    expect(Number(rows?.n)).toBe(LOST);
  });

  it('to the INSERT of a message leaves one message, and the caller its 200', async () => {
    const numbers = await insertRows(3);
    for (const [index, outTradeNo] of numbers.entries()) {
      await backend.whenAvailable();
      proxy.loseAnswersTo('INSERT INTO inbox_messages', 1);
      await postAll('notify', [notifyBody({ outTradeNo })]);
      // At once, or when the message comes out of the spool.
      await eventually(() => expect(proxy.answersLost).toBe(index + 1));
    }
    await expectGrantedOnce(numbers);
    const [messages] = await database.query('SELECT COUNT(*) AS n FROM inbox_messages');
    expect(Number(messages?.n)).toBe(numbers.length);
  });
});

describe('connections that an administrator kills', () => {
  const NOTICES = 200;
  const CALLERS = 8;
  const KILLS_MIN = 15;
  const KILL_PAUSE_MS = 15;

  /** Kills one connection of the backend after the other, in an order of its own. */
  async function killUntil(isOver: () => boolean): Promise<number> {
    let kills = 0;
    let turn = 7;
    while (!isOver() || kills < KILLS_MIN) {
      const ids = await user.connectionIds();
      turn = (turn * 31 + 11) % 1_009;
      const id = ids[turn % Math.max(ids.length, 1)];
      if (id) {
        try {
          await database.query(`KILL ${id}`);
          kills += 1;
        } catch (error) {
          // It ended by itself between the look and the shot.
          expect((error as { code?: string }).code).toBe('ER_NO_SUCH_THREAD');
        }
      }
      await sleep(KILL_PAUSE_MS);
    }
    return kills;
  }

  // Prevents half-done work and stuck pools after connections that break at any statement.
  it(`in the middle of ${NOTICES} notices leave each order granted once`, async () => {
    const numbers = await insertRows(NOTICES);
    const open = [...numbers];
    let isOver = false;
    const caller = async () => {
      for (let outTradeNo = open.shift(); outTradeNo; outTradeNo = open.shift()) {
        await postAll('notify', [notifyBody({ outTradeNo })]);
        await sleep(KILL_PAUSE_MS);
      }
    };
    const callers = Promise.all(Array.from({ length: CALLERS }, caller)).finally(() => (isOver = true));
    const [kills] = await Promise.all([killUntil(() => isOver), callers]);
    console.log(`${kills} connections were killed during ${NOTICES} notices`);
    await expectGrantedOnce(numbers);
  });
});

// A lock wait that times out undoes one statement only: the rest would be committed without it.
describe('a rival that holds a row for longer than a lock is waited for', () => {
  const HELD_MS = 6_000;
  const OTHERS = 5;
  const OTHERS_WITHIN_MS = 2_000;
  /** MariaDB shows old locks to whoever looks more often than every 100 ms. */
  const LOCKS_PAUSE_MS = 200;

  /** How many connections of the backend stand still for a lock. */
  async function waitingForLocks(): Promise<number> {
    const ids = await user.connectionIds();
    const rows = await database.query(
      "SELECT trx_id FROM information_schema.INNODB_TRX WHERE trx_state = 'LOCK WAIT' AND trx_mysql_thread_id IN (?)",
      [[0, ...ids]],
    );
    return rows.length;
  }

  it.each([
    ['the order', 'SELECT id FROM payment_orders WHERE out_trade_no = ? FOR UPDATE'],
    [
      'its user',
      'SELECT u.id FROM users u JOIN payment_orders o ON o.user_id = u.id WHERE o.out_trade_no = ? FOR UPDATE',
    ],
  ])('(%s) delays this order only, and leaves nothing half done', async (_, lock) => {
    const [held = '', ...others] = await insertRows(1 + OTHERS);
    const rival = await database.connect();
    try {
      await rival.query('START TRANSACTION');
      await rival.query(lock, [held]);
      const heldSinceMs = performance.now();
      await postAll('notify', [notifyBody({ outTradeNo: held })]);
      await until(async () => expect(await waitingForLocks()).toBe(1), {
        withinMs: 3_000,
        everyMs: LOCKS_PAUSE_MS,
      });
      // These come while the first is waited for: neither it nor its lane is theirs.
      await postAll(
        'notify',
        others.map((outTradeNo) => notifyBody({ outTradeNo })),
      );
      await until(
        async () => {
          for (const outTradeNo of others)
            expect((await readOrder(database, outTradeNo)).grants).toHaveLength(1);
        },
        { withinMs: OTHERS_WITHIN_MS, everyMs: 50 },
      );
      while (performance.now() - heldSinceMs < HELD_MS) {
        const { order, grants } = await readOrder(database, held);
        expect([order?.status, grants]).toEqual(['pending', []]);
        await sleep(250);
      }
      await rival.query('ROLLBACK');
    } finally {
      await rival.end();
    }
    await expectGrantedOnce([held, ...others]);
    // An operator who asks why it took so long finds the tries, and what became of them.
    const [message] = await database.query<{ attempts: number; last_error: string }>(
      'SELECT attempts, last_error FROM inbox_messages WHERE out_trade_no = ?',
      [held],
    );
    expect(message?.attempts).toBeGreaterThan(0);
    expect(message?.last_error).toContain('Lock wait timeout');
    expect((await readOrder(database, held)).user).toMatchObject({
      payment_status: 'premium',
      regenerate_count: 23,
    });
  });
});
