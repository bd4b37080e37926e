import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Decorator } from 'wechatpay-axios-plugin';
import { parseDotEnv } from '../../../scripts/lib/dot-env.mjs';
import type { Json } from './plugin-client.js';
import { eventually } from '../../support/until.ts';

const SCRIPT = join(import.meta.dirname, '..', '..', '..', 'scripts', 'wechatpay-simulator.ts');
const NO = '202601270000000001';

let children: ChildProcess[];
let merchant: Server;
let events: string[];

beforeEach(async () => {
  children = [];
  events = [];
  merchant = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      events.push(`${request.url} ${JSON.parse(text).event_type}`);
      response.writeHead(200).end();
    });
  });
  await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await new Promise((resolve) => merchant.close(resolve));
});

/** Nothing of this process's environment: the script needs none. */
function start(args: readonly string[]) {
  const child = spawn(process.execPath, [SCRIPT, ...args], { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
  children.push(child);
  const written = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (written.err += text));
  return { child, written, ended: once(child, 'close') };
}

async function drive(method: 'GET' | 'POST', url: string, body?: object): Promise<Json> {
  const response = await fetch(url, { method, ...(body && { body: JSON.stringify(body) }) });
  return { status: response.status, ...(JSON.parse(await response.text()) as object) };
}

describe('the simulator that runs alone', () => {
  it('tells a backend how to reach it, takes its orders and sends notices by itself', async () => {
    const callbackUrl = `http://127.0.0.1:${(merchant.address() as AddressInfo).port}`;
    const { child, written, ended } = start([
      ...['--port', '0', '--mode', 'public-key', '--notify-url', `${callbackUrl}/paid`],
      ...['--refund-notify-url', `${callbackUrl}/refunded`],
    ]);
    await eventually(() => expect(written.err).toContain('simulated at'));
    const env = parseDotEnv(written.out);
    expect(Object.keys(env).sort()).toEqual([
      'WECHAT_APIV3_KEY',
      'WECHAT_API_BASE_URL',
      'WECHAT_APPID',
      'WECHAT_MCHID',
      'WECHAT_PRIVATE_KEY',
      'WECHAT_PUBLIC_KEY',
      'WECHAT_PUBLIC_KEY_ID',
      'WECHAT_SERIAL_NO',
    ]);
    const at = env.WECHAT_API_BASE_URL ?? '';
    expect(await drive('POST', `${at}/sim/orders`, { outTradeNo: NO, totalFen: 2990 })).toMatchObject({
      status: 200,
      state: 'NOTPAY',
    });
    expect(await drive('POST', `${at}/sim/orders/${NO}/pay`)).toMatchObject({ state: 'SUCCESS' });
    expect(await drive('POST', `${at}/sim/orders/${NO}/pay`)).toMatchObject({ status: 400 });
    const refund = { outTradeNo: NO, outRefundNo: 'R1', refundFen: 990 };
    expect(await drive('POST', `${at}/sim/refunds`, refund)).toMatchObject({ status: 'PROCESSING' });
    expect(await drive('POST', `${at}/sim/refunds/R1/end`, { status: 'LATER' })).toMatchObject({
      status: 400,
    });
    await drive('POST', `${at}/sim/clock/advance`, { ms: 300_000 });
    await eventually(() => expect(events).toEqual(['/paid TRANSACTION.SUCCESS', '/refunded REFUND.SUCCESS']));
    const ledger = await drive('GET', `${at}/sim/ledger`);
    expect(ledger).toMatchObject({
      orders: [{ state: 'REFUND', totalFen: 2990 }],
      refunds: [{ status: 'SUCCESS' }],
    });

    await drive('POST', `${at}/sim/faults`, { kind: 'error-before' });
    const now: string = (await drive('GET', `${at}/sim/clock`)).now;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(now) });
    try {
      const { v3 } = new Decorator({
        mchid: env.WECHAT_MCHID ?? '',
        serial: env.WECHAT_SERIAL_NO ?? '',
        privateKey: env.WECHAT_PRIVATE_KEY ?? '',
        certs: { [env.WECHAT_PUBLIC_KEY_ID ?? '']: env.WECHAT_PUBLIC_KEY ?? '' },
        baseURL: at,
        proxy: false,
      });
      const ask = () =>
        v3.get<Json>(`/v3/pay/transactions/out-trade-no/${NO}`, { params: { mchid: env.WECHAT_MCHID } });
      await expect(ask()).rejects.toMatchObject({ response: { status: 500 } });
      const { data } = await ask();
      expect(data).toMatchObject({ trade_state: 'REFUND', amount: { total: 2990 } });
    } finally {
      vi.useRealTimers();
    }
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  });

  it('explains itself, and what was wrong with a wish', async () => {
    const help = start(['--help']);
    const wrong = start(['--mode', 'both']);
    expect(await help.ended).toEqual([0, null]);
    expect(help.written.out).toContain('--refund-notify-url');
    expect(await wrong.ended).toEqual([1, null]);
    expect(wrong.written.err).toBe('--mode must be one of certificate, public-key, switching.\n');
  });
});
