import { OrderQueriesService } from '../../src/payments/order-queries.service.js';
import { PaidSweepService } from '../../src/payments/paid-sweep.service.js';
import { PendingOrdersService } from '../../src/payments/pending-orders.service.js';
import { InboxDrainService } from '../../src/platform/inbox/inbox-drain.service.js';
import type { JobContext } from '../../src/platform/jobs/job-runner.js';
import type { OutTradeNo } from '../../src/shared/ids.js';
import { startApplication } from './application.js';
import type { TestApplication } from './application.js';
import { insertOrderRow, newOutTradeNo } from './builders.js';
import type { OrderRowValues } from './builders.js';
import { createTestDatabase } from './database.js';
import type { TestDatabase } from './database.js';
import { FollowingClock } from './wechatpay-channel.js';
import { SimulatorClock } from './wechatpay-simulator/clock.ts';
import type { Mode } from './wechatpay-simulator/keys.ts';
import { startWechatPaySimulator } from './wechatpay-simulator/simulator.ts';
import type { WechatPaySimulator } from './wechatpay-simulator/simulator.ts';

/** Longer than the circuit breaker of the channel stays open. */
const BREAKER_OPEN_MS = 11_000;
const WINDOW_SECONDS = 600;
const PROBE_DEADLINE_MS = 2_000;

/** The backend beside a WeChat Pay of its own. Its jobs run only where a test calls them. */
export class WechatpayBackend {
  private constructor(
    readonly database: TestDatabase,
    readonly simulator: WechatPaySimulator,
    readonly application: TestApplication,
  ) {}

  static async start(
    options: {
      mode?: Mode;
      env?: Record<string, string>;
      logger?: Instead['logger'];
      /** Without credentials WeChat Pay goes on, and the backend knows nothing of it. */
      isConnected?: boolean;
    } = {},
  ): Promise<WechatpayBackend> {
    const database = await createTestDatabase();
    const simulator = await startWechatPaySimulator({
      mode: options.mode ?? 'public-key',
      clock: new SimulatorClock(),
    });
    const application = await startApplication(
      database,
      { ROLE: 'api', ...(options.isConnected === false ? {} : simulator.env), ...options.env },
      {
        clock: new FollowingClock(simulator.clock),
        logger: options.logger,
      },
    );
    await application.whenAvailable();
    const url = await application.app.getUrl();
    simulator.settings.notifyUrl = `${url}/api/payment/callback`;
    simulator.settings.refundNotifyUrl = `${url}/api/payment/refund-callback`;
    return new WechatpayBackend(database, simulator, application);
  }

  /** Another replica on the same database, asking the same WeChat Pay. */
  startReplica(env: Record<string, string> = {}): Promise<TestApplication> {
    return startApplication(
      this.database,
      { ROLE: 'api', ...this.simulator.env, ...env },
      { clock: new FollowingClock(this.simulator.clock) },
    );
  }

  /** Ends what earlier tests broke: faults, and the pause the circuit breaker makes after them. */
  async heal(): Promise<void> {
    this.simulator.faults.clear();
    await this.simulator.advance(BREAKER_OPEN_MS);
    const nobodys = newOutTradeNo() as OutTradeNo;
    await this.application.app.get(OrderQueriesService).askNow(nobodys, { deadlineMs: PROBE_DEADLINE_MS });
  }

  /** A row as a cloud function writes it, and its order at WeChat Pay, for which the prepay was made. */
  async order(row: Partial<OrderRowValues> = {}, wechat: { totalFen?: number } = {}): Promise<string> {
    const outTradeNo = row.out_trade_no ?? newOutTradeNo();
    this.placeOrder(outTradeNo, wechat.totalFen);
    await insertOrderRow(this.database, { ...row, out_trade_no: outTradeNo });
    return outTradeNo;
  }

  placeOrder(outTradeNo: string, totalFen = 2990): void {
    this.simulator.placeOrder({ outTradeNo, totalFen, openid: openidOf(outTradeNo) });
  }

  /** The customer pays, and WeChat Pay's notice of it is lost. */
  pay(outTradeNo: string): void {
    this.simulator.customerPays(outTradeNo, { notice: { copies: 0 } });
  }

  transactionOf(outTradeNo: string): string | null {
    return this.simulator.ledger.getOrder(outTradeNo).payment?.transactionId ?? null;
  }

  discover(): Promise<void> {
    return this.application.app.get(PendingOrdersService).discoverRecent(WINDOW_SECONDS);
  }

  drain(): Promise<void> {
    return this.application.app.get(InboxDrainService).drain(new AbortController().signal);
  }

  /** Messages that were put off for want of something are tried now. */
  async letWaitingIn(...outTradeNos: string[]): Promise<void> {
    await this.database.query('UPDATE inbox_messages SET available_at = NOW(3) WHERE out_trade_no IN (?)', [
      outTradeNos,
    ]);
    await this.drain();
  }

  sweep(): Promise<void> {
    return this.application.app.get(PaidSweepService).sweepRecent(WINDOW_SECONDS, noLease());
  }

  /** Asks what is due, after making the questions about these orders due. */
  async ask(...outTradeNos: string[]): Promise<void> {
    if (outTradeNos.length > 0) {
      await this.database.query('UPDATE order_queries SET due_at = NOW(3) WHERE out_trade_no IN (?)', [
        outTradeNos,
      ]);
    }
    await this.application.app.get(OrderQueriesService).askDue(noLease());
  }

  async queryRow(outTradeNo: string): Promise<QueryRow | undefined> {
    const [row] = await this.database.query<QueryRow>(
      `SELECT asks, unanswered, last_answer, TIMESTAMPDIFF(MICROSECOND, NOW(3), due_at) / 1e6 AS due_in_s
         FROM order_queries WHERE out_trade_no = ?`,
      [outTradeNo],
    );
    return row && { ...row, due_in_s: Number(row.due_in_s) };
  }

  /** How often WeChat Pay was asked about the order; closings are not counted. */
  timesAsked(outTradeNo: string): number {
    return this.simulator.requests.filter(
      ({ method, url }) => method === 'GET' && url.includes(`/out-trade-no/${outTradeNo}`),
    ).length;
  }

  async stop(): Promise<void> {
    await this.application.stop();
    await this.simulator.close();
    await this.database.drop();
  }
}

export type QueryRow = { asks: number; unanswered: number; last_answer: string | null; due_in_s: number };

type Instead = NonNullable<Parameters<typeof startApplication>[2]>;

export function noLease(): JobContext {
  return { lease: null, stopping: new AbortController().signal };
}

/** An openid in its real form: `o` and 27 more characters. */
export function openidOf(outTradeNo: string): string {
  return `o${outTradeNo.padStart(27, 'x')}`.slice(0, 28);
}
