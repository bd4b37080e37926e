import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { insertToken } from '../support/admin.js';
import { insertOrderRow, newOutTradeNo } from '../support/builders.js';
import { startCloudFunctionStandIn } from '../support/cloud-function-stand-in.ts';
import type { CloudFunctionStandIn } from '../support/cloud-function-stand-in.ts';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { readOrder } from '../support/payments.js';
import { killBackends, startBackend } from '../support/process.js';
import type { BackendProcess } from '../support/process.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import type { HaltPoint } from '../support/tcp-proxy.js';
import { openidOf } from '../support/wechatpay-backend.js';
import { statusOf } from '../support/wechatpay-simulator/ledger.ts';
import { startWechatPaySimulator } from '../support/wechatpay-simulator/simulator.ts';
import type { WechatPaySimulator } from '../support/wechatpay-simulator/simulator.ts';
import { until } from '../support/until.ts';

const PROMISED = 'INSERT INTO refunds';
const SENDING = "SET stage = IF(stage = 'requested'";
const RECORDED = "stage = 'accepted'";
const REVOKED = 'INSERT INTO entitlement_grants';
const END_WITHIN_MS = 20_000;

/** Each step of a refund's life, and on which side of it the process dies. */
const POINTS: readonly (HaltPoint & { readonly name: string })[] = [
  { name: 'before the promise is committed', word: PROMISED, at: 'before-commit' },
  { name: 'after the promise, before the operator hears of it', word: PROMISED, at: 'after-commit' },
  { name: 'before it is committed that the call goes out', word: SENDING, at: 'before-commit' },
  { name: 'between that commit and the call', word: SENDING, at: 'after-commit' },
  { name: 'after the call, before the answer is stored', word: RECORDED, at: 'before' },
  { name: 'before the answer is committed', word: RECORDED, at: 'before-commit' },
  { name: 'after the answer is committed', word: RECORDED, at: 'after-commit' },
  { name: 'before the consequences', word: REVOKED, at: 'before' },
  { name: 'before the consequences are committed', word: REVOKED, at: 'before-commit' },
  { name: 'after the consequences are committed', word: REVOKED, at: 'after-commit' },
];

const CHANNELS = ['wechatpay', 'cloud-function'] as const;

let database: TestDatabase;
let proxy: TcpProxy;
let simulator: WechatPaySimulator;
let standIn: CloudFunctionStandIn;
let spoolDir: string;
let token: string;

beforeEach(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  simulator = await startWechatPaySimulator({
    mode: 'public-key',
    settings: { refundEndsAfterMs: 0, refundNotifyUrl: null },
  });
  standIn = await startCloudFunctionStandIn({ wechatpay: simulator });
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-refund-kill-'));
});

afterEach(async () => {
  await killBackends();
  await Promise.all([proxy.close(), simulator.close(), standIn.close()]);
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

async function start(channel: (typeof CHANNELS)[number]): Promise<BackendProcess> {
  const refunds = channel === 'wechatpay' ? { REFUND_CHANNEL: channel } : standIn.env;
  const env = { ...proxy.env, ...simulator.env, ...refunds, SPOOL_DIR: spoolDir, LOG_LEVEL: 'warn' };
  const backend = await startBackend(database, env);
  await backend.whenReady();
  return backend;
}

async function grantedOrder(): Promise<string> {
  const outTradeNo = newOutTradeNo();
  simulator.placeOrder({ outTradeNo, totalFen: 2990, openid: openidOf(outTradeNo) });
  simulator.customerPays(outTradeNo, { notice: { copies: 0 } });
  const { payment } = simulator.ledger.getOrder(outTradeNo);
  await insertOrderRow(database, {
    out_trade_no: outTradeNo,
    status: 'paid',
    transaction_id: payment?.transactionId ?? null,
    paid_at: new Date(),
  });
  await until(async () => expect((await readOrder(database, outTradeNo)).grants).toHaveLength(1), {
    withinMs: END_WITHIN_MS,
    everyMs: 50,
  });
  return outTradeNo;
}

/** As an operator's program does it: the same request again until it is answered. */
async function request(backend: BackendProcess, outTradeNo: string): Promise<string> {
  const { status, text } = await backend.fetch('/api/admin/refunds', {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${token}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': `refund-${outTradeNo}`,
    },
    body: JSON.stringify({ outTradeNo, amount: '29.90', reason: 'killed on the way' }),
  });
  expect(status).toBe(202);
  return (JSON.parse(text) as { data: { outRefundNo: string } }).data.outRefundNo;
}

/** What the minutes of the schedule, and the lease of a dead worker, would do. */
const makeDue = () =>
  database
    .query('UPDATE refund_settlements SET due_at = NOW(3) WHERE due_at IS NOT NULL')
    // It may lose a deadlock against the backend: the next one comes in a moment.
    .catch(() => undefined);

describe.each(CHANNELS)('a refund by way of %s, its process killed', (channel) => {
  // Killed anywhere, the same money must go back once: a new number after a crash is a second payout.
  it.each(POINTS)('$name, pays once and ends in the right state', async (point) => {
    const first = await start(channel);
    ({ token } = await insertToken(database, 'operator'));
    const outTradeNo = await grantedOrder();
    const reached = proxy.haltAt(point);
    // The first answers of the simulator say PROCESSING; the question after them says SUCCESS.
    void request(first, outTradeNo).catch(() => undefined);
    const hurry = setInterval(() => void makeDue(), 200);
    try {
      await reached;
      await first.end('SIGKILL');
      await proxy.pass();
      const second = await start(channel);
      const outRefundNo = await request(second, outTradeNo);
      await until(
        async () => {
          await simulator.settle();
          const [row] = await database.query('SELECT status FROM refunds WHERE out_refund_no = ?', [
            outRefundNo,
          ]);
          expect(row?.status).toBe('success');
        },
        { withinMs: END_WITHIN_MS, everyMs: 100 },
      );
      await expectOnePayout(outTradeNo, outRefundNo);
    } finally {
      clearInterval(hurry);
    }
  });
});

async function expectOnePayout(outTradeNo: string, outRefundNo: string): Promise<void> {
  const atWechat = simulator.ledger.refundsOf(simulator.ledger.getOrder(outTradeNo));
  expect(atWechat.map((refund) => [refund.outRefundNo, statusOf(refund)])).toEqual([
    [outRefundNo, 'SUCCESS'],
  ]);
  expect(await database.query('SELECT id FROM refunds WHERE out_trade_no = ?', [outTradeNo])).toHaveLength(1);
  const { order, grants, user } = await readOrder(database, outTradeNo);
  expect(order?.status).toBe('refunded');
  expect(grants.map(({ entry }) => entry)).toEqual(['grant', 'revocation']);
  expect(user).toMatchObject({ payment_status: 'free', regenerate_count: 3 });
}
