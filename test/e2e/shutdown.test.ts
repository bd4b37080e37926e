import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { notifyBody, orderCreatedBody } from '../support/builders.js';
import type { OrderBody } from '../support/builders.js';
import { createTestDatabase, findMoneyFaults } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { killBackends, startBackend } from '../support/process.js';
import type { BackendProcess, Ending } from '../support/process.js';
import { INTERNAL_SECRET } from '../support/secrets.ts';
import { TcpProxy } from '../support/tcp-proxy.js';
import { eventually } from '../support/until.ts';

const EXIT_WITHIN_MS = 10_000;
/** The time of a process to end after the last of its deadlines ran out. */
const EXIT_MARGIN_MS = 1_500;
const CALLERS = 8;
const PAYMENTS_BEFORE_STOP = 60;
const PAYMENTS_IN_SPOOL = 250;
/** Callers that know nothing of the stop go on for a while. */
const LOAD_GOES_ON_MS = 1_000;
/** Keeps what piles up during a slow stop small enough to be applied within the test. */
const CALLER_PAUSE_MS = 25;

let database: TestDatabase;
let proxy: TcpProxy;
let spoolDir: string;

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-stop-'));
});

afterEach(async () => {
  await killBackends();
  await proxy.close();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

const start = () => startBackend(database, { ...proxy.env, SPOOL_DIR: spoolDir, LOG_LEVEL: 'info' });

type Load = {
  orders: Set<string>;
  payments: Set<string>;
  /** Answers other than 200. */
  others: string[];
  stop(): Promise<void>;
};

/** Callers that keep their connections open, and post orders and notices until nobody takes them any more. */
function load(backend: BackendProcess): Load {
  const told = { orders: new Set<string>(), payments: new Set<string>(), others: [] as string[] };
  let isOver = false;
  const call = async (path: 'order-created' | 'notify', body: OrderBody, acknowledged: Set<string>) => {
    const { status, text } = await backend.post(path, body);
    if (status === 200) acknowledged.add(body.outTradeNo);
    else told.others.push(`${status} ${text}`);
  };
  const caller = async () => {
    while (!isOver) {
      const order = orderCreatedBody();
      try {
        await call('order-created', order, told.orders);
        await call('notify', notifyBody(order), told.payments);
        await sleep(CALLER_PAUSE_MS);
      } catch {
        isOver = true; // the port is closed: nothing was promised
      }
    }
  };
  const callers = Promise.all(Array.from({ length: CALLERS }, caller));
  return {
    ...told,
    async stop() {
      isOver = true;
      await callers;
    },
  };
}

type Stop = Ending & { told: Load; exitMs: number };

async function stopUnderLoad(backend: BackendProcess): Promise<Stop> {
  const told = load(backend);
  await eventually(() => expect(told.payments.size).toBeGreaterThan(PAYMENTS_BEFORE_STOP));
  const startedMs = performance.now();
  const ended = backend.end('SIGTERM');
  await Promise.race([ended, sleep(LOAD_GOES_ON_MS)]);
  await told.stop();
  const ending = await ended;
  const exitMs = performance.now() - startedMs;
  console.log(
    `SIGTERM: ${JSON.stringify(ending)} after ${Math.round(exitMs)} ms, ${told.orders.size} orders and ${told.payments.size} payments acknowledged`,
  );
  return { ...ending, told, exitMs };
}

/** Everything that was acknowledged is an order, and its grant, after the next process has done what was left. */
async function expectNothingLost({ orders, payments }: Pick<Load, 'orders' | 'payments'>): Promise<void> {
  const next = await start();
  await next.whenReady();
  await next.whenDrained();
  const numbers = async (sql: string) => {
    const rows = await database.query<{ out_trade_no: string }>(sql);
    return new Set(rows.map(({ out_trade_no }) => out_trade_no));
  };
  const kept = await numbers('SELECT out_trade_no FROM payment_orders');
  const granted = await numbers("SELECT out_trade_no FROM entitlement_grants WHERE entry = 'grant'");
  expect([...orders].filter((outTradeNo) => !kept.has(outTradeNo))).toEqual([]);
  expect([...payments].filter((outTradeNo) => !granted.has(outTradeNo))).toEqual([]);
  expect(await findMoneyFaults(database)).toEqual([]);
}

/** By itself, and not cut at the deadline: either with 0, or with the signal that it was asked with. */
function expectOrderlyEnd({ code, signal }: Ending): void {
  expect([
    { code: 0, signal: null },
    { code: null, signal: 'SIGTERM' },
  ]).toContainEqual({ code, signal });
}

// Prevents the loss of what was answered just before a deployment, and jobs that stand still until a lease runs out.
describe('SIGTERM', () => {
  it('under load loses nothing acknowledged, ends in time and hands its leases over', async () => {
    const backend = await start();
    await backend.whenReady();
    const stop = await stopUnderLoad(backend);
    const leases = await database.query<{ name: string; owner: string | null }>(
      "SELECT name, owner FROM job_leases WHERE name LIKE 'paid-sweep%'",
    );
    expect(leases.length).toBeGreaterThan(0);
    expect(leases.filter(({ owner }) => owner !== null)).toEqual([]);
    await expectNothingLost(stop.told);
    // The caller sends an order once: a process that still has its disk has no reason to refuse it.
    expect(stop.told.others).toEqual([]);
    expectOrderlyEnd(stop);
    expect(stop.exitMs).toBeLessThan(EXIT_WITHIN_MS);
  });

  // Node closes idle connections at once; one that was busy then would stay open for as long as its caller keeps it.
  it('answers the request under way, and does not wait for its caller to close the connection', async () => {
    const backend = await start();
    await backend.whenReady();
    const order = orderCreatedBody();
    const body = JSON.stringify(order);
    const { hostname, port } = new URL(backend.url);
    const caller = connect({ host: hostname, port: Number(port) });
    let heard = '';
    caller.setEncoding('utf8').on('data', (text: string) => (heard += text));
    try {
      caller.write(
        `POST /api/payment/internal/order-created HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
          `X-Internal-Secret: ${INTERNAL_SECRET}\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, 20)}`,
      );
      // The head of this request was read before the next one was answered.
      await backend.post('order-created', orderCreatedBody());
      const startedMs = performance.now();
      const ended = backend.end('SIGTERM');
      await eventually(() => expect(backend.output()).toContain('process.stopping'));
      await sleep(CALLER_PAUSE_MS);
      caller.write(body.slice(20));
      await eventually(() => expect(heard).toMatch(/^HTTP\/1\.1 200 /));
      expectOrderlyEnd(await ended);
      expect(performance.now() - startedMs).toBeLessThan(EXIT_WITHIN_MS);
    } finally {
      caller.destroy();
    }
    await expectNothingLost({ orders: new Set([order.outTradeNo]), payments: new Set() });
  });

  it('while the database is away loses nothing acknowledged, and ends in time', async () => {
    const backend = await start();
    await backend.whenReady();
    await proxy.refuse();
    const stop = await stopUnderLoad(backend);
    await proxy.pass();
    await expectNothingLost(stop.told);
    expect(stop.told.others).toEqual([]);
    expectOrderlyEnd(stop);
    expect(stop.exitMs).toBeLessThan(EXIT_WITHIN_MS);
  });

  it('while the database hangs loses nothing acknowledged, and ends at the latest when its time is up', async () => {
    const backend = await start();
    await backend.whenReady();
    proxy.stall();
    const stop = await stopUnderLoad(backend);
    await proxy.pass();
    await expectNothingLost(stop.told);
    expect(stop.exitMs).toBeLessThan(EXIT_WITHIN_MS + EXIT_MARGIN_MS);
  });

  it('while the spool is emptied loses nothing', async () => {
    const backend = await start();
    await backend.whenReady();
    await proxy.refuse();
    const told = load(backend);
    await eventually(() => expect(told.payments.size).toBeGreaterThan(PAYMENTS_IN_SPOOL));
    await told.stop();
    await proxy.pass();
    await eventually(
      async () => expect(await database.query('SELECT id FROM inbox_messages LIMIT 1')).toHaveLength(1),
      2,
    );
    const ending = await backend.end('SIGTERM');
    await expectNothingLost(told);
    expectOrderlyEnd(ending);
  });
});
