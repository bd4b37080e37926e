import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Test } from '@nestjs/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppConfig } from '../../../src/platform/config/app-config.js';
import { AppLogger } from '../../../src/platform/logging/app-logger.js';
import { Clock } from '../../../src/shared/clock.js';
import type { OutTradeNo } from '../../../src/shared/ids.js';
import { WechatpayModule } from '../../../src/wechatpay/wechatpay.module.js';
import { WechatpayService } from '../../../src/wechatpay/wechatpay.service.js';
import { WechatpayCallbackRefused } from '../../../src/wechatpay/wechatpay.types.js';
import { failureOf, FollowingClock, LogKeeper, openChannel } from '../../support/wechatpay-channel.js';
import type { Channel } from '../../support/wechatpay-channel.js';
import type { Callback, CallbackTricks } from '../../support/wechatpay-simulator/callback-tricks.ts';
import { makeCertificate, makeSerial } from '../../support/wechatpay-simulator/certificate.ts';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.ts';
import { MODES } from '../../support/wechatpay-simulator/keys.ts';
import type { Mode } from '../../support/wechatpay-simulator/keys.ts';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';

const OUT_TRADE_NO = '170634567890112345' as OutTradeNo;

let simulator: WechatPaySimulator;
let channel: Channel;

async function start(mode: Mode): Promise<void> {
  const clock = SimulatorClock.heldAt(Date.UTC(2026, 0, 27, 2));
  simulator = await startWechatPaySimulator({ mode, clock, settings: { refundNotifyUrl: null } });
  simulator.settings.notice = { ...simulator.settings.notice, copies: 0 };
  simulator.placeOrder({ outTradeNo: OUT_TRADE_NO, totalFen: 2990, tradeType: 'NATIVE' });
  simulator.customerPays(OUT_TRADE_NO);
  channel = openChannel(simulator);
}
afterEach(async () => {
  channel.service.onApplicationShutdown();
  await simulator.close();
  vi.unstubAllEnvs();
});

/** As the HTTP layer hands it over: header names in small letters. */
const received = ({ headers, body }: Callback) => ({
  headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  rawBody: body,
});
const read = (callback: Callback) => channel.service.readCallback(received(callback));

function refusalOf(callback: Callback): string {
  try {
    read(callback);
  } catch (error) {
    if (error instanceof WechatpayCallbackRefused) return error.refusal;
    throw error;
  }
  return 'accepted';
}

describe.each(MODES)('in %s mode', (mode) => {
  beforeEach(() => start(mode));

  it('asks for the newest key, believes its answers, and reads callbacks signed with any configured key', async () => {
    expect((await channel.service.queryByOutTradeNo(OUT_TRADE_NO)).state).toBe('paid');
    const newest = simulator.keys.platform.at(-1);
    expect(simulator.requests.at(-1)?.serial).toBe(newest?.serial);
    for (const { kind } of simulator.keys.platform) {
      const notification = read(
        simulator.composePaymentCallback(OUT_TRADE_NO, { signedBy: kind, id: 'EV-1' }),
      );
      expect(notification).toMatchObject({ kind: 'payment', id: 'EV-1', order: { amount: { fen: 2990 } } });
    }
  });
});

describe('a switch to the public key', () => {
  beforeEach(() => start('switching'));

  it('is seen through by answers and callbacks while one key only is configured', async () => {
    const [certificate] = simulator.keys.platform;
    const before = openChannel(simulator, {
      WECHAT_PUBLIC_KEY: certificate.pem,
      WECHAT_PUBLIC_KEY_ID: '',
    });
    expect((await before.service.queryByOutTradeNo(OUT_TRADE_NO)).state).toBe('paid');
    const byPublicKey = received(simulator.composePaymentCallback(OUT_TRADE_NO, { signedBy: 'public-key' }));
    expect(() => before.service.readCallback(byPublicKey)).toThrow('a key that is not configured here');
    before.service.onApplicationShutdown();
  });
});

describe('callbacks', () => {
  beforeEach(() => start('public-key'));

  it('tell how a refund ended', async () => {
    simulator.merchantRefunds({ outTradeNo: OUT_TRADE_NO, outRefundNo: 'refund-1', refundFen: 990 });
    simulator.endRefund('refund-1', 'SUCCESS');
    expect(read(simulator.composeRefundCallback('refund-1'))).toMatchObject({
      kind: 'refund',
      refund: {
        outRefundNo: 'refund-1',
        status: 'SUCCESS',
        refundAmount: { fen: 990 },
        orderAmount: { fen: 2990 },
      },
    });
  });

  it.each<[string, CallbackTricks]>([
    ['bad_signature', { signature: 'probe' }],
    ['bad_signature', { signature: 'stranger' }],
    ['headers_missing', { signature: 'missing' }],
    ['unknown_serial', { serial: 'PUB_KEY_ID_0000000000000000000000000000000000' }],
    ['expired', { ageMs: 300_000 }],
    ['expired', { ageMs: -300_000 }],
    ['accepted', { ageMs: 299_000 }],
    ['bad_signature', { bytesCut: 1 }],
    ['bad_signature', { bytesCut: 10_000 }],
    ['unreadable', { apiv3Key: 'another-32-byte-key-of-this-test' }],
    ['wrong_merchant', { resource: { mchid: '1900000001' } }],
    ['wrong_merchant', { resource: { appid: 'wx0000000000000000' } }],
    ['unreadable', { resource: { amount: { total: 2990, currency: 'USD' } } }],
    ['unreadable', { resource: { trade_state: 'NOTPAY' } }],
  ])('are %s with %o', (refusal, tricks) => {
    expect(refusalOf(simulator.composePaymentCallback(OUT_TRADE_NO, tricks))).toBe(refusal);
  });
});

describe('the surroundings', () => {
  beforeEach(() => start('public-key'));

  it('make no difference: neither a proxy variable nor the time of the machine', async () => {
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY']) {
      vi.stubEnv(name, 'http://127.0.0.1:9');
    }
    vi.stubEnv('NO_PROXY', '');
    vi.stubEnv('no_proxy', '');
    await simulator.advance(400 * 86_400_000);
    expect((await channel.service.queryByOutTradeNo(OUT_TRADE_NO)).state).toBe('paid');
  });

  it('cannot turn the check of the certificate off', async () => {
    const { privateKey } = simulator.keys.merchant;
    const pem = makeCertificate({
      privateKey,
      serial: makeSerial(),
      commonName: 'localhost',
      validFromMs: Date.now() - 86_400_000,
    });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const stranger = createServer({ key, cert: pem }, (_request, response) => response.end('{}'));
    await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
    const { port } = stranger.address() as AddressInfo;
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    // That the server would answer anybody who does not check.
    expect(await (await fetch(`https://127.0.0.1:${port}`)).text()).toBe('{}');
    const other = openChannel(simulator, { WECHAT_API_BASE_URL: `https://127.0.0.1:${port}` });
    const failure = await failureOf(other.service.queryByOutTradeNo(OUT_TRADE_NO));
    expect(failure).toMatchObject({ outcome: 'unknown', reason: 'connection' });
    other.service.onApplicationShutdown();
    stranger.close();
    stranger.closeAllConnections();
  });

  it('show a wrong clock as what it is', async () => {
    const late = { nowMs: () => simulator.clock.nowMs() + 301_000 };
    const wrong = openChannel({ env: simulator.env, clock: late });
    const failure = await failureOf(wrong.service.queryByOutTradeNo(OUT_TRADE_NO));
    expect(failure).toMatchObject({ outcome: 'misconfigured', reason: 'SIGNERROR' });
    wrong.service.onApplicationShutdown();
  });

  // The plugin's own client, handed to Nest, is taken for a promise and for a set of lifecycle hooks: each is a request.
  it('may be a Nest module: it starts and stops without a word to WeChat Pay', async () => {
    const providers = [
      { provide: AppConfig, useValue: { wechatpay: channel.config } },
      { provide: Clock, useValue: new FollowingClock(simulator.clock) },
      { provide: AppLogger, useValue: new LogKeeper() },
    ];
    const surroundings = {
      module: class {},
      global: true,
      providers,
      exports: providers.map(({ provide }) => provide),
    };
    const module = await Test.createTestingModule({ imports: [surroundings, WechatpayModule] }).compile();
    await module.init();
    const service = module.get(WechatpayService);
    expect(service.isConfigured).toBe(true);
    expect(simulator.requests).toEqual([]);
    expect((await service.queryByOutTradeNo(OUT_TRADE_NO)).state).toBe('paid');
    await module.close();
    expect(simulator.requests).toHaveLength(1);
  });
});
