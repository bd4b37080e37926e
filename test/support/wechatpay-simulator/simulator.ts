import { Agenda } from './agenda.ts';
import { ApiServer } from './api-server.ts';
import type { SeenRequest } from './api-server.ts';
import { Bills } from './bills.ts';
import { composeCallback } from './callback-tricks.ts';
import type { Callback, CallbackTricks } from './callback-tricks.ts';
import { SimulatorClock } from './clock.ts';
import type { ControllableClock } from './clock.ts';
import { makeControl } from './control-api.ts';
import { Faults } from './faults.ts';
import type { JsonObject } from './fields.ts';
import { post } from './http-post.ts';
import type { PostResult } from './http-post.ts';
import { makeKeys, toEnvironment } from './keys.ts';
import type { Mode, SimulatorKeys } from './keys.ts';
import { Ledger, statusOf } from './ledger.ts';
import type { Order, Refund, RefundEnd } from './ledger.ts';
import type { NoticeContent } from './notice.ts';
import { Notifier } from './notifier.ts';
import { Orders } from './orders.ts';
import type { PayOptions, PlaceOrder } from './orders.ts';
import { Refunds, toRefundRequest } from './refunds.ts';
import { makeRoutes } from './routes.ts';
import { defaultSettings } from './settings.ts';
import type { NoticePlan, Settings } from './settings.ts';
import type { World } from './world.ts';

export type SimulatorOptions = {
  mode: Mode;
  /** Real time when absent. */
  clock?: ControllableClock;
  /** Any free one when absent. */
  port?: number;
  /** Those of another simulator, so that a restarted one is the same merchant's. */
  keys?: SimulatorKeys;
  settings?: Partial<Settings>;
  /** Whether everything happens by itself when it is due, as a simulator that runs alone needs it. */
  isSelfDriven?: boolean;
};

export type PayByCustomer = PayOptions & { notice?: Partial<NoticePlan> };

const TICK_MS = 200;
/** One at a time keeps the attempts in order for tests; alone, a slow merchant must not hold up the others. */
const POSTS_AT_ONCE = { inTests: 1, selfDriven: 8 } as const;

/** Starts WeChat Pay for one merchant on a port of this machine. */
export async function startWechatPaySimulator(options: SimulatorOptions): Promise<WechatPaySimulator> {
  const clock = options.clock ?? new SimulatorClock();
  const keys = options.keys ?? (await makeKeys(options.mode, clock.nowMs()));
  const simulator = new WechatPaySimulator(keys, { ...options, clock });
  await simulator.server.listen(options.port ?? 0);
  return simulator;
}

export class WechatPaySimulator {
  readonly keys: SimulatorKeys;
  readonly clock: ControllableClock;
  readonly settings: Settings;
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly notifier: Notifier;
  readonly server: ApiServer;
  private readonly world: World;
  private readonly orders: Orders;
  private readonly refunds: Refunds;
  private readonly ticker: NodeJS.Timeout | null;

  constructor(keys: SimulatorKeys, options: SimulatorOptions & { clock: ControllableClock }) {
    this.keys = keys;
    this.clock = options.clock;
    this.settings = { ...defaultSettings(), ...options.settings };
    this.ledger = new Ledger();
    this.faults = new Faults();
    this.world = {
      clock: this.clock,
      merchant: keys.merchant,
      settings: this.settings,
      ledger: this.ledger,
      agenda: new Agenda(),
    };
    const { selfDriven, inTests } = POSTS_AT_ONCE;
    this.notifier = new Notifier(this.world, keys, options.isSelfDriven ? selfDriven : inTests);
    this.orders = new Orders(this.world);
    this.refunds = new Refunds(this.world, (refund, end) => this.tellRefund(refund, end));
    this.server = new ApiServer(this.world, keys, this.faults);
    const bills = new Bills(this.world, () => this.baseUrl);
    this.server.serve(makeRoutes({ orders: this.orders, refunds: this.refunds, bills }), makeControl(this));
    this.ticker = options.isSelfDriven ? setInterval(() => void this.settle(), TICK_MS) : null;
  }

  get baseUrl(): string {
    return this.server.baseUrl;
  }

  /** The variables that connect a backend to this simulator. */
  get env(): Record<string, string> {
    return toEnvironment(this.keys, this.baseUrl);
  }

  /** Every request to the API, the oldest first. */
  get requests(): readonly SeenRequest[] {
    return this.server.requests;
  }

  /** The shop's prepay, without the way over HTTP. */
  placeOrder(order: PlaceOrder): Readonly<Order> {
    this.catchUp();
    return this.orders.place(order);
  }

  /** The customer pays; the notice goes out with the next `settle` or `advance`. */
  customerPays(outTradeNo: string, { notice, ...options }: PayByCustomer = {}): Readonly<Order> {
    this.catchUp();
    const order = this.orders.pay(outTradeNo, options);
    const content = this.paymentNotice(order);
    this.notifier.announce(content, order.notifyUrl, { ...this.settings.notice, ...notice });
    return order;
  }

  /** An operator refunds on the merchant platform, without the backend's knowledge. */
  merchantRefunds(wanted: { outTradeNo: string; outRefundNo: string; refundFen: number }): Readonly<Refund> {
    this.catchUp();
    return this.refunds.accept(toRefundRequest(this.ledger.getOrder(wanted.outTradeNo), wanted));
  }

  /** A shop's refund request, without the way over HTTP. @throws ApiError with WeChat Pay's refusal */
  requestRefund(body: unknown): JsonObject {
    this.catchUp();
    return this.refunds.create(body);
  }

  /** Ends a refund now; its notice goes out with the next `settle` or `advance`. */
  endRefund(outRefundNo: string, end: RefundEnd): Readonly<Refund> {
    this.catchUp();
    return this.refunds.end(outRefundNo, end);
  }

  /** Money that the merchant takes out of its account is not there for refunds. */
  merchantWithdraws(amountFen: number): void {
    this.bookForMerchant('withdrawal', -amountFen);
  }

  merchantTopsUp(amountFen: number): void {
    this.bookForMerchant('top-up', amountFen);
  }

  /** Does what is due by now, and resolves when every notice that is due has been answered. */
  async settle(): Promise<void> {
    this.catchUp();
    await this.notifier.deliverDue();
  }

  /** Sets the clock forward; everything that falls due on the way happens at its own time. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.clock.nowMs() + ms;
    await this.settle();
    for (let nextMs = this.nextDueMs(); nextMs !== null && nextMs <= untilMs; nextMs = this.nextDueMs()) {
      this.setForwardTo(nextMs);
      await this.settle();
    }
    this.setForwardTo(untilMs);
  }

  /** A notice about a paid order for the test to post by itself, as WeChat Pay or a forger would. */
  composePaymentCallback(outTradeNo: string, tricks: CallbackTricks = {}): Callback {
    return this.compose(this.paymentNotice(this.ledger.getOrder(outTradeNo)), tricks);
  }

  /** The same about a refund that has ended. */
  composeRefundCallback(outRefundNo: string, tricks: CallbackTricks = {}): Callback {
    const refund = this.ledger.getRefund(outRefundNo);
    const status = statusOf(refund);
    if (status === 'PROCESSING') throw new Error(`refund ${outRefundNo} has not ended: nothing is told`);
    return this.compose(this.refundNotice(refund, status), tricks);
  }

  /** Posts a composed callback once. */
  postCallback(url: string, callback: Callback): Promise<PostResult> {
    return post(url, callback);
  }

  async close(): Promise<void> {
    if (this.ticker) clearInterval(this.ticker);
    await this.server.close();
  }

  private compose(content: NoticeContent, tricks: CallbackTricks): Callback {
    return composeCallback(content, { keys: this.keys, nowMs: this.clock.nowMs() }, tricks);
  }

  private paymentNotice(order: Readonly<Order>): NoticeContent {
    if (!order.payment) throw new Error(`order ${order.outTradeNo} is not paid: nothing is told`);
    return {
      eventType: 'TRANSACTION.SUCCESS',
      subject: order.outTradeNo,
      // A refund made since does not change what the notice of the payment says.
      resource: this.orders.describe({ ...order, state: 'SUCCESS' }),
      createdAtMs: this.clock.nowMs(),
    };
  }

  private refundNotice(refund: Readonly<Refund>, end: RefundEnd): NoticeContent {
    return {
      eventType: `REFUND.${end}`,
      subject: refund.outRefundNo,
      resource: this.refunds.describeForNotice(refund, end),
      createdAtMs: this.clock.nowMs(),
    };
  }

  private tellRefund(refund: Refund, end: RefundEnd): void {
    const url = refund.notifyUrl ?? this.settings.refundNotifyUrl;
    if (url === null) return;
    this.notifier.announce(this.refundNotice(refund, end), url, this.settings.notice);
  }

  private bookForMerchant(kind: 'withdrawal' | 'top-up', amountFen: number): void {
    const no = `M${this.ledger.movements.length + 1}`;
    const atMs = this.clock.nowMs();
    this.ledger.book({ kind, atMs, amountFen, businessNo: no, voucherNo: no, remark: '' });
  }

  private catchUp(): void {
    this.world.agenda.runDue(this.clock.nowMs());
  }

  private nextDueMs(): number | null {
    const times = [this.world.agenda.nextDueMs(), this.notifier.nextDueMs()].filter((ms) => ms !== null);
    return times.length > 0 ? Math.min(...times) : null;
  }

  private setForwardTo(ms: number): void {
    const aheadMs = ms - this.clock.nowMs();
    if (aheadMs > 0) this.clock.advance(aheadMs);
  }
}
