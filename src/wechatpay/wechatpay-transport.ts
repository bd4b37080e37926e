import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Decorator, Formatter, Rsa } from 'wechatpay-axios-plugin';
import type { WechatpayConfig } from '../platform/config/wechatpay-config.js';
import type { Clock } from '../shared/clock.js';
import { unknownOutcome } from './wechatpay-outcome.js';
import { checkSignature } from './wechatpay-signature.js';
import type { WechatpayError } from './wechatpay.types.js';

/** More at once than this wait here: a burst must not open a socket for each order. */
const SOCKETS_MAX = 32;
const REQUEST_ID_PATTERN = /^[0-9A-Za-z_-]{1,80}$/;
const TIMEOUT_CODES: ReadonlySet<string> = new Set(['ERR_CANCELED', 'ECONNABORTED', 'ETIMEDOUT']);

export type WechatpayRequest = {
  readonly method: 'GET' | 'POST';
  /** Path and query, percent-encoded. */
  readonly path: string;
  readonly body?: Readonly<Record<string, unknown>>;
  /** From the call to the last byte of the answer: slow bytes do not prolong it. */
  readonly deadlineMs: number;
  readonly answerBytesMax: number;
  /** Bills alone are not signed: a signed answer told their hash before. */
  readonly isAnswerSigned: boolean;
};

export type WechatpayAnswer = {
  readonly status: number;
  /** The bytes as sent, never decoded. */
  readonly body: Buffer;
  readonly requestId?: string;
};

/** The part of axios's request that a signer reads and changes. */
type OutgoingRequest = {
  readonly method?: string;
  readonly url?: string;
  readonly data?: unknown;
  readonly headers: { set(name: string, value: string, rewrite: boolean): unknown };
};

/**
 * Signed requests out, verified bytes in. What fails is an `unknown` {@link WechatpayError}: the error of axios, which carries
 * the Authorization header and the body, ends here and is nobody's `cause`.
 */
export class WechatpayTransport {
  private readonly axios: Decorator['v3'];
  private readonly agents: readonly { destroy(): void }[];

  constructor(
    private readonly config: WechatpayConfig,
    private readonly clock: Clock,
  ) {
    const httpAgent = new HttpAgent({ keepAlive: true, maxSockets: SOCKETS_MAX });
    // Said here, an environment variable that turns certificate checks off does not reach the payment channel.
    const httpsAgent = new HttpsAgent({ keepAlive: true, maxSockets: SOCKETS_MAX, rejectUnauthorized: true });
    this.agents = [httpAgent, httpsAgent];
    this.axios = new (decoratorFor(config, clock))({
      mchid: config.mchid,
      serial: config.merchantSerial,
      // The plugin takes key objects as they are; only its types ask for text.
      privateKey: config.merchantPrivateKey as unknown as Buffer,
      certs: Object.fromEntries(config.platformKeys),
      baseURL: config.apiBaseUrl,
      httpAgent,
      httpsAgent,
      proxy: false,
      maxRedirects: 0,
      responseType: 'arraybuffer',
      // Every status comes back as an answer: who asked knows which one is good.
      validateStatus: () => true,
    }).v3;
  }

  /**
   * The answer, whatever its status; a success only with WeChat Pay's signature on it.
   * @throws WechatpayError of outcome `unknown`
   */
  async exchange(request: WechatpayRequest): Promise<WechatpayAnswer> {
    const { status, body, headers } = await this.send(request);
    const requestId = readRequestId(headers);
    if (request.isAnswerSigned && status >= 200 && status < 300) {
      const trust = { platformKeys: this.config.platformKeys, nowMs: this.clock.nowMs() };
      const verdict = checkSignature({ headers, rawBody: body }, trust);
      if (verdict !== 'valid') {
        throw unknownOutcome('unverified', { httpStatus: status, requestId, detail: verdict });
      }
    }
    return { status, body, requestId };
  }

  close(): void {
    for (const agent of this.agents) agent.destroy();
  }

  private async send(
    request: WechatpayRequest,
  ): Promise<{ status: number; body: Buffer; headers: Record<string, unknown> }> {
    try {
      const answer = await this.axios.request<Buffer>({
        method: request.method,
        url: request.path,
        data: request.body,
        headers: {
          'Wechatpay-Serial': this.config.platformSerial,
          ...(request.isAnswerSigned ? { Accept: 'application/json' } : {}),
        },
        signal: AbortSignal.timeout(request.deadlineMs),
        maxContentLength: request.answerBytesMax,
      });
      const headers: Record<string, unknown> = {};
      for (const [name, value] of Object.entries(answer.headers as Record<string, unknown>)) {
        headers[name.toLowerCase()] = value;
      }
      return { status: answer.status, body: answer.data, headers };
    } catch (error) {
      throw failureOf(error);
    }
  }
}

/**
 * The plugin with our clock: its own signer and verifier read the time of the machine, and its verifier sees text where
 * the signature is over bytes, and takes an age of exactly five minutes. Its verifier is therefore switched off here, and
 * {@link WechatpayTransport.exchange}, the only door, checks every success with `checkSignature`.
 */
function decoratorFor(config: WechatpayConfig, clock: Clock): typeof Decorator {
  return class extends Decorator {
    static override requestInterceptor() {
      return (request: OutgoingRequest): OutgoingRequest => {
        const nonce = Formatter.nonce();
        const timestamp = Math.floor(clock.nowMs() / 1000);
        const { pathname, search } = new URL(request.url ?? '', config.apiBaseUrl);
        const body = request.data === undefined ? '' : JSON.stringify(request.data);
        const method = (request.method ?? '').toUpperCase();
        const message = Formatter.request(method, `${pathname}${search}`, timestamp, nonce, body);
        const signature = Rsa.sign(message, config.merchantPrivateKey);
        const { mchid, merchantSerial } = config;
        request.headers.set(
          'Authorization',
          Formatter.authorization(mchid, nonce, signature, String(timestamp), merchantSerial),
          true,
        );
        return request;
      };
    }

    static override responseVerifier() {
      return (body: unknown): unknown => body;
    }
  };
}

/** Takes the code of axios's error and leaves the rest of it behind. */
function failureOf(error: unknown): WechatpayError {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && TIMEOUT_CODES.has(code)) return unknownOutcome('timeout');
  if (typeof message === 'string' && message.startsWith('maxContentLength'))
    return unknownOutcome('too_large');
  return unknownOutcome('connection', { detail: typeof code === 'string' ? code : undefined });
}

function readRequestId(headers: Readonly<Record<string, unknown>>): string | undefined {
  const value = headers['request-id'];
  return typeof value === 'string' && REQUEST_ID_PATTERN.test(value) ? value : undefined;
}
