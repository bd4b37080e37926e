import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SpoolService } from '../../src/platform/spool/spool.service.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { notifyBody, orderCreatedBody } from '../support/builders.js';
import type { OrderBody } from '../support/builders.js';
import { createPlainUser, createTestDatabase, findMoneyFaults } from '../support/database.js';
import type { PlainUser, TestDatabase } from '../support/database.js';
import { readOrder } from '../support/payments.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/until.ts';

/** The promise is one second; a test machine that is busy with others may take twice that. */
const ANSWERED_WITHIN_MS = 2_000;
const CALLERS = 8;
/** Far more orders than fit into the smallest spool. */
const FILL_MAX = 6_000;
const REFUSALS_WHEN_FULL = 5;

let database: TestDatabase;
let user: PlainUser;
let proxy: TcpProxy;
let backend: TestApplication;

beforeEach(async () => {
  database = await createTestDatabase();
  user = await createPlainUser(database);
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
});

afterEach(async () => {
  await proxy.pass();
  await backend.stop();
  await proxy.close();
  await user.drop();
  await database.drop();
});

async function start(env: Record<string, string> = {}): Promise<void> {
  backend = await startApplication(database, { ...user.env, ...proxy.env, ...env });
}

const waiting = async () => (await backend.app.get(SpoolService).stats()).depth;

type Timed = { status: number; durationMs: number };

async function timed(path: 'order-created' | 'notify', body: OrderBody): Promise<Timed> {
  const startedMs = performance.now();
  const { status } = await backend.post(path, body);
  return { status, durationMs: performance.now() - startedMs };
}

/** The calls of several functions at once, each for its own order and its payment. */
async function callDuringOutage(outage: string): Promise<OrderBody[]> {
  const orders = Array.from({ length: CALLERS }, () => orderCreatedBody());
  const answers = await Promise.all([
    ...orders.map((order) => timed('order-created', order)),
    ...orders.map((order) => timed('notify', notifyBody(order))),
  ]);
  // And one that comes when the outage is known.
  const late = orderCreatedBody();
  answers.push(await timed('order-created', late), await timed('notify', notifyBody(late)));
  const slowestMs = Math.max(...answers.map(({ durationMs }) => durationMs));
  console.log(`${outage}: ${answers.length} calls, slowest answer ${Math.round(slowestMs)} ms`);
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
  expect(slowestMs).toBeLessThan(ANSWERED_WITHIN_MS);
  return [...orders, late];
}

async function expectGranted(orders: OrderBody[]): Promise<void> {
  await eventually(async () => {
    for (const { outTradeNo } of orders)
      expect((await readOrder(database, outTradeNo)).grants).toHaveLength(1);
    expect(await waiting()).toBe(0);
  }, 100);
  for (const body of orders) {
    const { order } = await readOrder(database, body.outTradeNo);
    expect(order).toMatchObject({ id: body.orderId, user_id: body.userId, amount: '29.90', status: 'paid' });
  }
  expect(await findMoneyFaults(database)).toEqual([]);
}

// Prevents the loss of orders in each way in which their database is away; the callers send an order once, to us.
describe('while MySQL', () => {
  it('refuses connections, orders and notices wait in the spool and are granted when it is back', async () => {
    await start();
    await backend.whenAvailable();
    await proxy.refuse();
    const orders = await callDuringOutage('refused');
    expect(await waiting()).toBe(2 * orders.length);
    await proxy.pass();
    await expectGranted(orders);
  });

  // A server that hangs is worse than one that is gone: the driver would wait for ever, and the caller with it.
  it('hangs with connections open, orders and notices wait in the spool and are granted when it moves on', async () => {
    await start();
    await backend.whenAvailable();
    // Connections in the pool, which will hang in the middle of their work.
    const before = orderCreatedBody();
    await Promise.all([timed('order-created', before), timed('notify', notifyBody(before))]);
    proxy.stall();
    const orders = await callDuringOutage('stalled');
    // What was on its way may be in the inbox as well; what was answered is on the disk.
    expect(await waiting()).toBe(2 * orders.length);
    await proxy.pass();
    await expectGranted([before, ...orders]);
  });

  it('is gone at boot, the process takes orders, and sets up the tables when it comes', async () => {
    await proxy.refuse();
    await start();
    const orders = await callDuringOutage('gone at boot');
    expect(await database.query('SHOW TABLES')).toEqual([]);
    await proxy.pass();
    await expectGranted(orders);
  });

  it('hangs at boot, the process takes orders, and sets up the tables when it moves on', async () => {
    proxy.stall();
    await start();
    const orders = await callDuringOutage('stalled at boot');
    await proxy.pass();
    await expectGranted(orders);
  });

  it('is read-only, orders and notices wait in the spool', async () => {
    await start();
    await backend.whenAvailable();
    let orders: OrderBody[];
    // Other tests on this server go on: they connect as an administrator, who may write all the same.
    await database.query('SET GLOBAL read_only = 1');
    try {
      orders = await callDuringOutage('read-only');
      expect(await waiting()).toBe(2 * orders.length);
      expect(await database.query('SELECT id FROM inbox_messages')).toEqual([]);
    } finally {
      await database.query('SET GLOBAL read_only = 0');
    }
    await expectGranted(orders);
  });

  it('has no connection to spare, orders and notices wait in the spool', async () => {
    await start();
    await backend.whenAvailable();
    await proxy.refuse();
    await eventually(async () => expect(await user.connectionIds()).toEqual([]));
    await user.limitConnections(1);
    const greedy = await database.connect(user.env);
    try {
      await proxy.pass();
      const orders = await callDuringOutage('out of connections');
      expect(await waiting()).toBe(2 * orders.length);
      await user.limitConnections(0);
      await expectGranted(orders);
    } finally {
      await greedy.end();
    }
  });
});

describe('when neither MySQL nor the disk', () => {
  function expectUnavailableAnswer(answer: {
    status: number;
    headers: Record<string, string>;
    body: unknown;
  }) {
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect(answer.body).toEqual({
      success: false,
      error: 'storage_unavailable',
      message: expect.any(String),
    });
  }

  // Prevents the worst answer: "stored" for what was stored nowhere.
  it('takes a message, 503 is answered and nothing is claimed; with MySQL alone, all is well', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'wxpay-no-spool-'));
    const file = join(folder, 'spool');
    writeFileSync(file, 'a file where the folder should be');
    try {
      await proxy.refuse();
      await start({ SPOOL_DIR: file });
      const refused = orderCreatedBody();
      expectUnavailableAnswer(await backend.post('order-created', refused));
      expectUnavailableAnswer(await backend.post('notify', notifyBody(refused)));
      const ready = await backend.http().get('/health/ready');
      expect([ready.status, ready.body.status]).toEqual([503, 'unavailable']);
      await proxy.pass();
      await backend.whenAvailable();
      const taken = orderCreatedBody();
      expect((await timed('order-created', taken)).status).toBe(200);
      await eventually(async () => expect((await readOrder(database, taken.outTradeNo)).order).toBeDefined());
      expect(
        await database.query('SELECT id FROM inbox_messages WHERE out_trade_no = ?', [refused.outTradeNo]),
      ).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('has room, 503 is answered; when there is room again, 200, without a restart', async () => {
    await start({ SPOOL_SIZE_MB_MAX: '1' });
    await backend.whenAvailable();
    await proxy.refuse();
    const accepted: OrderBody[] = [];
    // Calls that come together share one write, and fail together: the last free bytes are filled one by one.
    for (const callers of [CALLERS, 1]) {
      let refusals = 0;
      const caller = async () => {
        while (refusals < REFUSALS_WHEN_FULL && accepted.length < FILL_MAX) {
          const order = orderCreatedBody();
          const { status } = await timed('order-created', order);
          expect([200, 503]).toContain(status);
          if (status === 200) accepted.push(order);
          else refusals += 1;
        }
      };
      await Promise.all(Array.from({ length: callers }, caller));
      expect(refusals).toBeGreaterThanOrEqual(REFUSALS_WHEN_FULL);
    }
    const refused = orderCreatedBody();
    const answer = await backend.post('order-created', refused);
    expectUnavailableAnswer(answer);
    console.log(`a spool of 1 MB was full after ${accepted.length} orders`);
    expect(await waiting()).toBe(accepted.length);

    await proxy.pass();
    await eventually(async () => expect(await waiting()).toBe(0), 100);
    const [stored] = await database.query('SELECT COUNT(DISTINCT out_trade_no) AS n FROM inbox_messages');
    expect(Number(stored?.n)).toBe(accepted.length);
    const claimed = await database.query('SELECT id FROM inbox_messages WHERE out_trade_no = ?', [
      refused.outTradeNo,
    ]);
    expect(claimed).toEqual([]);
    await proxy.refuse();
    const again = orderCreatedBody();
    expect((await timed('order-created', again)).status).toBe(200);
    expect(await waiting()).toBe(1);
  });
});
