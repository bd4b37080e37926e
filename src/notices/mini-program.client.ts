import type { SubscribeMessageConfig } from '../platform/config/notices-config.js';
import type { Clock } from '../shared/clock.js';
import { AccessTokens } from './access-tokens.js';
import { post } from '../platform/http/outbound-post.js';
import type { SubscribeData } from './subscribe-data.js';

/** One exchange; a whole delivery with its second try has the time that the outbox gives it. */
const DEADLINE_MS = 4_000;
const ANSWER_BYTES_MAX = 65_536;
/** Invalid or not the latest, expired, malformed: another token may be good. */
const TOKEN_ERRCODES: ReadonlySet<number> = new Set([40001, 42001, 40014]);

export type MiniProgramAnswer =
  | { readonly kind: 'errcode'; readonly errcode: number; readonly errmsg: string }
  /** In words for an operator. Whether the message went out is unknown. */
  | { readonly kind: 'no_answer'; readonly reason: string };

export type SubscribeMessage = {
  readonly openid: string;
  readonly data: SubscribeData;
};

/** The talk with the mini program's server API. The token stands in addresses, so no address ever leaves this file. */
export class MiniProgramClient {
  private readonly tokens: AccessTokens;

  constructor(
    private readonly config: SubscribeMessageConfig,
    clock: Clock,
  ) {
    this.tokens = new AccessTokens(() => this.fetchToken(), clock);
  }

  /** Sends once; when the token was refused, once more with a new one. */
  async sendSubscribeMessage(message: SubscribeMessage, signal: AbortSignal): Promise<MiniProgramAnswer> {
    const first = await this.sendOnce(message, signal);
    if (first.kind === 'no_answer' || !TOKEN_ERRCODES.has(first.errcode)) return first;
    return this.sendOnce(message, signal);
  }

  private async sendOnce(
    { openid, data }: SubscribeMessage,
    signal: AbortSignal,
  ): Promise<MiniProgramAnswer> {
    const token = await this.tokens.get(signal);
    if (token.kind === 'none') return { kind: 'no_answer', reason: token.reason };
    const { templateId, page } = this.config;
    const answer = await this.ask(
      `/cgi-bin/message/subscribe/send?access_token=${encodeURIComponent(token.text)}`,
      { touser: openid, template_id: templateId, ...(page ? { page } : {}), data },
      signal,
    );
    if (answer.kind === 'no_answer') return answer;
    const { errcode, errmsg } = answer.body;
    if (typeof errcode !== 'number') return { kind: 'no_answer', reason: 'WeChat’s answer has no errcode.' };
    if (TOKEN_ERRCODES.has(errcode)) this.tokens.drop(token.text);
    return { kind: 'errcode', errcode, errmsg: typeof errmsg === 'string' ? errmsg : '' };
  }

  /** Not bound to the delivery that asked first: others wait for the same token. */
  private async fetchToken() {
    const { appid, appSecret } = this.config;
    const answer = await this.ask('/cgi-bin/stable_token', {
      grant_type: 'client_credential',
      appid,
      secret: appSecret.export().toString('utf8'),
    });
    if (answer.kind === 'no_answer') return { kind: 'none', reason: answer.reason } as const;
    const { access_token: text, expires_in: seconds, errcode } = answer.body;
    if (typeof text === 'string' && text !== '' && typeof seconds === 'number')
      return { kind: 'token', text, lifeMs: seconds * 1000 } as const;
    const why =
      typeof errcode === 'number'
        ? ` (errcode ${errcode}): see WECHAT_APPID, WECHAT_APP_SECRET and the list of allowed addresses`
        : '';
    return { kind: 'none', reason: `WeChat gave no access token${why}.` } as const;
  }

  private async ask(
    path: string,
    body: Record<string, unknown>,
    signal: AbortSignal = new AbortController().signal,
  ): Promise<{ kind: 'body'; body: Record<string, unknown> } | { kind: 'no_answer'; reason: string }> {
    const exchange = await post(
      new URL(path, this.config.apiBaseUrl),
      { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) },
      { deadlineMs: DEADLINE_MS, answerBytesMax: ANSWER_BYTES_MAX, signal },
    );
    if (exchange.kind === 'unanswered')
      return { kind: 'no_answer', reason: `WeChat was not reached: ${exchange.reason}` };
    // An errcode comes with 200 always: any other status is a gateway's.
    if (exchange.status !== 200) return { kind: 'no_answer', reason: `WeChat answered ${exchange.status}.` };
    const parsed = exchange.body && parseObject(exchange.body);
    return parsed
      ? { kind: 'body', body: parsed }
      : { kind: 'no_answer', reason: 'WeChat’s answer cannot be read.' };
  }
}

function parseObject(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null; // told by the caller; the parser would quote what it read
  }
}
