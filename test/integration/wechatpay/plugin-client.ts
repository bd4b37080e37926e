import { randomBytes } from 'node:crypto';
import { vi } from 'vitest';
import { Decorator, Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';

/** What came over the wire as JSON: the assertions say what it must be. */
export type Json = ReturnType<typeof JSON.parse>;

export type Reply = {
  status: number | null;
  /** The error of WeChat Pay (`ORDER_NOT_EXIST`), or of the plugin when it refused the answer. */
  code: string | null;
  data: Json;
  headers: Record<string, Json>;
};

/**
 * A client that shares no line with the simulator: a published plugin signs what it sends and verifies what comes back.
 * The plugin asks `Date` for the time, which must be faked for it to live in the simulator's.
 */
export class PluginClient {
  private readonly simulator: WechatPaySimulator;
  private readonly http: Decorator['v3'];

  constructor(simulator: WechatPaySimulator) {
    const { merchant, platform } = simulator.keys;
    this.simulator = simulator;
    this.http = new Decorator({
      mchid: merchant.mchid,
      serial: merchant.serial,
      privateKey: merchant.privateKeyPem,
      certs: Object.fromEntries(platform.map(({ serial, pem }) => [serial, pem])),
      baseURL: simulator.baseUrl,
      proxy: false,
      maxRedirects: 0,
      timeout: 2_000,
    }).v3;
  }

  get(url: string, options: { params?: object; headers?: object; responseType?: 'arraybuffer' } = {}) {
    return this.ask(() => this.http.get(url, options));
  }

  post(url: string, body: object, headers: object = {}) {
    return this.ask(() => this.http.post(url, body, { headers }));
  }

  query(outTradeNo: string, headers: object = {}) {
    const { mchid } = this.simulator.keys.merchant;
    return this.get(`/v3/pay/transactions/out-trade-no/${outTradeNo}`, { params: { mchid }, headers });
  }

  close(outTradeNo: string) {
    const { mchid } = this.simulator.keys.merchant;
    return this.post(`/v3/pay/transactions/out-trade-no/${outTradeNo}/close`, { mchid });
  }

  prepay(path: 'jsapi' | 'native', changes: Record<string, unknown>) {
    const { appid, mchid } = this.simulator.keys.merchant;
    return this.post(`/v3/pay/transactions/${path}`, {
      appid,
      mchid,
      description: 'Greeting card',
      notify_url: 'http://127.0.0.1:9/callback',
      amount: { total: 2990, currency: 'CNY' },
      ...(path === 'jsapi' && { payer: { openid: 'oPayer' } }),
      ...changes,
    });
  }

  refund(changes: { amount: { refund: number; total: number } } & Record<string, unknown>) {
    const amount = { ...changes.amount, currency: 'CNY' };
    return this.post('/v3/refund/domestic/refunds', { ...changes, amount });
  }

  private async ask(send: () => Promise<{ status: number; data: unknown; headers: object }>): Promise<Reply> {
    vi.setSystemTime(this.simulator.clock.nowMs());
    try {
      const { status, data, headers } = await send();
      return { status, code: null, data, headers };
    } catch (error) {
      const { code, response } = error as { code?: string; response?: Reply };
      const told = response?.data?.code;
      return {
        status: response?.status ?? null,
        code: typeof told === 'string' ? told : (code ?? String(error)),
        data: response?.data,
        headers: response?.headers ?? {},
      };
    }
  }
}

/** What a signed request consists of, for tests that spoil one part of it. */
export function authorize(
  simulator: WechatPaySimulator,
  request: { method: string; url: string; body?: string },
  spoilt: Partial<{
    mchid: string;
    serial: string;
    timestamp: string;
    nonce: string;
    signedUrl: string;
  }> = {},
): string {
  const { merchant } = simulator.keys;
  const nonce = spoilt.nonce ?? randomBytes(16).toString('hex');
  const timestamp = spoilt.timestamp ?? String(Math.floor(simulator.clock.nowMs() / 1000));
  const message = Formatter.request(
    request.method,
    spoilt.signedUrl ?? request.url,
    timestamp,
    nonce,
    request.body ?? '',
  );
  return Formatter.authorization(
    spoilt.mchid ?? merchant.mchid,
    nonce,
    Rsa.sign(message, merchant.privateKeyPem),
    timestamp,
    spoilt.serial ?? merchant.serial,
  );
}
