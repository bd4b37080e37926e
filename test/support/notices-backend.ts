import { createHmac } from 'node:crypto';
import { NoticesService } from '../../src/notices/notices.service.js';
import { OutboxChannels } from '../../src/platform/outbox/outbox-channels.js';
import { OutboxDeliveryService } from '../../src/platform/outbox/outbox-delivery.service.js';
import { OutboxDistributionService } from '../../src/platform/outbox/outbox-distribution.service.js';
import { startApplication } from './application.js';
import type { TestApplication } from './application.js';
import { insertOrderRow } from './builders.js';
import { createTestDatabase } from './database.js';
import type { TestDatabase } from './database.js';
import { HttpStandIn } from './http-stand-in.js';
import type { ReceivedRequest, StandInAnswer } from './http-stand-in.js';
import { recordPaid } from './payments.js';
import { FollowingClock } from './wechatpay-channel.js';

export const WEBHOOK_SECRET = 'canary-webhook-secret-of-the-tests';
export const APP_SECRET = 'canary-app-secret-of-the-tests';
export const ACCESS_TOKEN = 'canary-access-token';

export type Channel = 'webhook' | 'subscribe_message';

export type NoticeRow = {
  id: string;
  status: string;
  attempts: number;
  claims: number;
  due_in_s: number;
  last_error: string | null;
};

const never = () => new AbortController().signal;

/** A mini program's server API: gives tokens, and answers messages with the errcodes a test says, then with 0. */
export class MiniProgramApi {
  /** The next answers to messages, one each. */
  readonly answers: (StandInAnswer | { errcode: number; errmsg?: string })[] = [];
  /** The answer to every question for a token, instead of one. */
  tokenAnswer: StandInAnswer | null = null;
  tokensGiven = 0;
  expiresInSeconds = 7_200;
  standIn!: HttpStandIn;

  static async start(): Promise<MiniProgramApi> {
    const api = new MiniProgramApi();
    api.standIn = await HttpStandIn.start((request) => api.answer(request));
    return api;
  }

  get messages(): { token: string; body: Record<string, unknown> }[] {
    return this.standIn.requests
      .filter(({ url }) => url.startsWith('/cgi-bin/message/subscribe/send?'))
      .map(({ url, body }) => ({
        token: new URL(url, this.standIn.url).searchParams.get('access_token') ?? '',
        body: JSON.parse(body) as Record<string, unknown>,
      }));
  }

  get tokenRequests(): ReceivedRequest[] {
    return this.standIn.requests.filter(({ url }) => url === '/cgi-bin/stable_token');
  }

  messagesTo(openid: string) {
    return this.messages.filter(({ body }) => body.touser === openid);
  }

  private answer({ url }: ReceivedRequest): StandInAnswer {
    if (url === '/cgi-bin/stable_token') {
      if (this.tokenAnswer) return this.tokenAnswer;
      this.tokensGiven += 1;
      const body = { access_token: `${ACCESS_TOKEN}-${this.tokensGiven}`, expires_in: this.expiresInSeconds };
      return { status: 200, body: JSON.stringify(body) };
    }
    const answer = this.answers.shift() ?? { errcode: 0, errmsg: 'ok' };
    if (typeof answer === 'string' || 'status' in answer) return answer;
    return { status: 200, body: JSON.stringify(answer) };
  }
}

/** The backend beside a receiver of its notices and a mini program's API. Its jobs run only where a test calls them. */
export class NoticesBackend {
  /** The answer of the receiver to a notice; the default takes all. */
  answerTo: (request: ReceivedRequest) => StandInAnswer | Promise<StandInAnswer> = () => ({ status: 200 });
  database!: TestDatabase;
  application!: TestApplication;
  receiver!: HttpStandIn;
  miniProgram!: MiniProgramApi;
  /** How far the application's clock is ahead of the database's. */
  aheadMs = 0;

  static async start(
    options: {
      env?: Record<string, string>;
      logger?: NonNullable<Parameters<typeof startApplication>[2]>['logger'];
    } = {},
  ): Promise<NoticesBackend> {
    const backend = new NoticesBackend();
    backend.database = await createTestDatabase();
    backend.receiver = await HttpStandIn.start((request) => backend.answerTo(request));
    backend.miniProgram = await MiniProgramApi.start();
    backend.application = await backend.startReplica(options.env, options.logger);
    return backend;
  }

  get env(): Record<string, string> {
    return {
      NOTICE_WEBHOOK_URL: `${this.receiver.url}/notices?key=canary-url-key`,
      NOTICE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      WECHAT_APPID: 'wx1234567890abcdef',
      WECHAT_APP_SECRET: APP_SECRET,
      WECHAT_SUBSCRIBE_TEMPLATE_ID: 'template-of-the-tests',
      WECHAT_SUBSCRIBE_DATA: JSON.stringify({
        character_string1: '{outTradeNo}',
        amount2: '¥{amountYuan}',
        time3: '{paidAt}',
        thing4: '{packageName}',
      }),
      WECHAT_MP_API_BASE_URL: this.miniProgram.standIn.url,
    };
  }

  async startReplica(
    env: Record<string, string> = {},
    logger?: NonNullable<Parameters<typeof startApplication>[2]>['logger'],
  ): Promise<TestApplication> {
    const clock = new FollowingClock({ nowMs: () => Date.now() + this.aheadMs });
    const application = await startApplication(
      this.database,
      { ROLE: 'api', ...this.env, ...env },
      { clock, logger },
    );
    await application.whenAvailable();
    return application;
  }

  /** Pays an order of a user with this openid, which stages its notice. */
  async pay(openid: string | null = null, application = this.application): Promise<string> {
    const row = await insertOrderRow(this.database);
    await this.database.query('UPDATE users SET openid = ? WHERE id = ?', [openid, row.user_id]);
    const outcome = await recordPaid(application, row.out_trade_no);
    if (outcome !== 'granted') throw new Error(`the order should have been granted, it is ${outcome}`);
    return row.out_trade_no;
  }

  distribute(application = this.application): Promise<void> {
    return application.app.get(OutboxDistributionService).distribute(never());
  }

  /** Delivers what is due, in one lane. */
  async deliver(channel: Channel, application = this.application): Promise<void> {
    const found = application.app.get(OutboxChannels).find(channel);
    if (!found) throw new Error(`there is no channel ${channel}`);
    await application.app.get(OutboxDeliveryService).deliverDue(found, never());
  }

  /** Makes the order's notice due, and delivers what is due. */
  async deliverAgain(channel: Channel, outTradeNo: string): Promise<void> {
    await this.database.query('UPDATE outbox_messages SET available_at = NOW(3) WHERE message_key = ?', [
      keyOf(outTradeNo, channel),
    ]);
    await this.deliver(channel);
  }

  resend(id: string, by = 'operator-of-the-tests'): Promise<'reopened' | 'due_already'> {
    return this.application.app.get(NoticesService).resend(id, { name: by });
  }

  async row(outTradeNo: string, channel?: Channel): Promise<NoticeRow> {
    const [row] = await this.database.query<NoticeRow>(
      `SELECT id, status, attempts, claims, last_error, TIMESTAMPDIFF(MICROSECOND, NOW(3), available_at) / 1e6 AS due_in_s
         FROM outbox_messages WHERE message_key = ?`,
      [keyOf(outTradeNo, channel)],
    );
    if (!row) throw new Error(`nothing is staged for ${outTradeNo}`);
    return { ...row, id: String(row.id), due_in_s: Number(row.due_in_s) };
  }

  /** The exception about the order's notice, if there is one. */
  async exception(outTradeNo: string, channel: Channel): Promise<Record<string, unknown> | undefined> {
    const [row] = await this.database.query(
      "SELECT reason, status, resolved_by FROM exceptions WHERE kind = 'notice_undeliverable' AND subject = ?",
      [keyOf(outTradeNo, channel)],
    );
    return row;
  }

  /** What the receiver was sent about the order. */
  noticesAbout(outTradeNo: string): ReceivedRequest[] {
    return this.receiver.requests.filter(({ headers }) => headers['x-notice-id'] === keyOf(outTradeNo));
  }

  async stop(): Promise<void> {
    await this.application.stop();
    await this.receiver.close();
    await this.miniProgram.standIn.close();
    await this.database.drop();
  }
}

export function keyOf(outTradeNo: string, channel?: Channel): string {
  return `payment_succeeded:${outTradeNo}${channel ? `:${channel}` : ''}`;
}

/** As the README tells a receiver to check a notice. */
export function isSignedRight({ headers, body }: ReceivedRequest, secret = WEBHOOK_SECRET): boolean {
  const signed = `${String(headers['x-notice-timestamp'])}.${body}`;
  return headers['x-notice-signature'] === `v1=${createHmac('sha256', secret).update(signed).digest('hex')}`;
}
