import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { notifyBody, orderCreatedBody } from '../support/builders.js';
import { isSignedRight, keyOf, NoticesBackend } from '../support/notices-backend.js';
import { killBackends, startBackend } from '../support/process.js';
import type { BackendProcess } from '../support/process.js';
import { until } from '../support/until.ts';

const SLOW_ANSWER_MS = 1_500;
const TOLD_WITHIN_MS = 15_000;

/** The surroundings of the processes under test: their database, their receiver, their mini program. */
let around: NoticesBackend;
let spoolDirs: string[] = [];

beforeEach(async () => {
  around = await NoticesBackend.start();
});
afterEach(async () => {
  await killBackends();
  await around.stop();
  for (const dir of spoolDirs) rmSync(dir, { recursive: true, force: true });
  spoolDirs = [];
});

/** What is sent out must take no way through a proxy that the machine was set up with for something else. */
const PROXY = {
  NODE_USE_ENV_PROXY: '1',
  HTTP_PROXY: 'http://127.0.0.1:1',
  HTTPS_PROXY: 'http://127.0.0.1:1',
};

async function start(): Promise<BackendProcess> {
  const spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-notices-'));
  spoolDirs.push(spoolDir);
  const env = { ...around.env, ...PROXY, SPOOL_DIR: spoolDir, LOG_LEVEL: 'info' };
  const backend = await startBackend(around.database, env);
  await backend.whenReady();
  return backend;
}

async function buy(backend: BackendProcess): Promise<{ outTradeNo: string; openid: string }> {
  const order = orderCreatedBody();
  for (const [path, body] of [
    ['order-created', order],
    ['notify', notifyBody(order)],
  ] as const) {
    expect((await backend.post(path, body)).status).toBe(200);
  }
  return { outTradeNo: order.outTradeNo, openid: order.openid as string };
}

const toldInTime = (check: () => void | Promise<void>) =>
  until(check, { withinMs: TOLD_WITHIN_MS, everyMs: 50 });

describe('a payment', () => {
  it('is told to the receiver and to the payer, once each, by whichever replica', async () => {
    const replicas = [await start(), await start()];
    const payments: { outTradeNo: string; openid: string }[] = [];
    for (let n = 0; n < 10; n += 1) {
      for (const replica of replicas) payments.push(await buy(replica));
    }
    await toldInTime(async () => {
      const left = await around.database.query("SELECT id FROM outbox_messages WHERE status = 'pending'");
      expect(left).toEqual([]);
      for (const { outTradeNo } of payments)
        expect(await around.row(outTradeNo, 'webhook')).toMatchObject({ status: 'sent' });
    });
    for (const { outTradeNo, openid } of payments) {
      expect(around.noticesAbout(outTradeNo)).toHaveLength(1);
      expect(around.noticesAbout(outTradeNo).every((notice) => isSignedRight(notice))).toBe(true);
      expect(around.miniProgram.messagesTo(openid)).toHaveLength(1);
    }
    expect(around.miniProgram.tokenRequests.length).toBeLessThanOrEqual(replicas.length);
  });
});

describe('a stop', () => {
  // A notice that is cut in the middle would be sent twice on every deployment.
  it('lets the notice under way end, and begins no other', async () => {
    let underWay = 0;
    around.answerTo = async () => {
      underWay += 1;
      await new Promise((resolve) => setTimeout(resolve, SLOW_ANSWER_MS));
      return { status: 200 };
    };
    const backend = await start();
    const payments = await Promise.all(Array.from({ length: 12 }, () => buy(backend)));
    await toldInTime(() => expect(underWay).toBeGreaterThan(0));
    const ending = await backend.end('SIGTERM');
    expect([0, null]).toContain(ending.code);
    const rows = await Promise.all(
      payments.map(({ outTradeNo }) => around.row(outTradeNo, 'webhook').catch(() => null)),
    );
    expect(rows.filter((row) => row?.status === 'sent')).toHaveLength(underWay);
    expect(rows.filter((row) => row?.status === 'pending' && row.claims > 0)).toEqual([]);
    const next = await start();
    await toldInTime(async () => {
      for (const { outTradeNo } of payments)
        expect(await around.row(outTradeNo, 'webhook')).toMatchObject({ status: 'sent' });
    });
    for (const { outTradeNo } of payments) expect(around.noticesAbout(outTradeNo)).toHaveLength(1);
    await next.end('SIGTERM');
  });

  // What the receiver took and the backend did not note must come again, and be told by its id.
  it('by kill -9 in the middle has the notice sent again with the same id', async () => {
    let isDead = false;
    around.answerTo = () => (isDead ? { status: 200 } : 'hang');
    const backend = await start();
    const { outTradeNo } = await buy(backend);
    await toldInTime(() => expect(around.noticesAbout(outTradeNo)).toHaveLength(1));
    await backend.end('SIGKILL');
    isDead = true;
    expect(await around.row(outTradeNo, 'webhook')).toMatchObject({ status: 'pending', claims: 1 });
    // The claim of the dead, run out.
    await around.database.query("UPDATE outbox_messages SET available_at = NOW(3) WHERE status = 'pending'");
    await start();
    await toldInTime(async () =>
      expect(await around.row(outTradeNo, 'webhook')).toMatchObject({ status: 'sent', claims: 2 }),
    );
    const [first, second] = around.noticesAbout(outTradeNo);
    expect(second?.headers['x-notice-id']).toBe(keyOf(outTradeNo));
    expect(second?.body).toBe(first?.body);
  });
});
