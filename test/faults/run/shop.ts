import { setTimeout as sleep } from 'node:timers/promises';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';
import type { Functions, Person } from './functions.ts';
import { yuan } from './functions.ts';
import { PACKAGE_FEN } from './plan.ts';
import type { OrderPlan } from './plan.ts';
import type { Heard, Recorder } from './recorder.ts';
import type { Replica } from './replica.ts';

const REFUND_TRIES_MAX = 8;
const REFUND_PAUSE_MS = 700;
const CALLBACK_TRIES = 8;
const CALLBACK_PAUSE_MS = 500;

export type ShopSecrets = { readonly internal: string; readonly adminToken: string };
export type Sale = {
  readonly outTradeNo: string;
  readonly person: Person;
  readonly packageType: keyof typeof PACKAGE_FEN;
};
type Payment = { readonly transactionId: string; readonly paidAtMs: number };

/** Everybody who talks to the backend about orders: functions, WeChat Pay and an operator. */
export class Shop {
  private readonly world: {
    readonly recorder: Recorder;
    readonly functions: Functions;
    readonly simulator: WechatPaySimulator;
    readonly replicas: readonly Replica[];
    readonly secrets: ShopSecrets;
  };
  private readonly startedAtMs: number;
  private made = 0;
  private lastPayment: Payment | null = null;

  constructor(world: Shop['world']) {
    this.world = world;
    this.startedAtMs = Date.now();
  }

  get internalSecret(): string {
    return this.world.secrets.internal;
  }

  /** The customer stands before the till: WeChat Pay knows the order, and nobody else does. */
  open(packageType: keyof typeof PACKAGE_FEN, user: number): Sale {
    this.made += 1;
    const outTradeNo = `${this.startedAtMs}${String(this.made).padStart(5, '0')}`;
    const person = personOf(user);
    const { simulator } = this.world;
    simulator.placeOrder({ outTradeNo, totalFen: PACKAGE_FEN[packageType], openid: person.openid });
    return { outTradeNo, person, packageType };
  }

  /** The customer pays; whether anybody is told is another matter. */
  pay({ outTradeNo }: Sale): Payment {
    const { payment } = this.world.simulator.customerPays(outTradeNo, { notice: { copies: 0 } });
    if (!payment) throw new Error(`${outTradeNo} was paid and has no payment`);
    this.lastPayment = { transactionId: payment.transactionId, paidAtMs: payment.successTimeMs };
    return this.lastPayment;
  }

  /** In turns a payment that pays another order, and one that nobody made. */
  private forgedFor({ outTradeNo }: Sale): Payment {
    const madeUp = { transactionId: `4200${outTradeNo}`, paidAtMs: Date.now() };
    return this.made % 2 === 0 ? (this.lastPayment ?? madeUp) : madeUp;
  }

  /** One order from the till to the end of its plan. */
  async play(plan: OrderPlan): Promise<void> {
    const sale = this.open(plan.packageType, plan.user);
    const pauses = [...plan.pausesMs];
    const pause = () => sleep(pauses.shift() ?? 0);
    const payment = plan.isPaid ? this.pay(sale) : null;
    const told = [...plan.told];
    if (plan.isToldFirst && payment) await this.tell(sale, payment, { by: told.shift(), plan });
    await this.make(sale, plan);
    if (!payment) {
      if (plan.isForged) await this.notify(sale, this.forgedFor(sale), this.anyUp(plan.replica));
      return;
    }
    for (const by of told) {
      await pause();
      await this.tell(sale, payment, { by, plan });
    }
    for (const [part, fen] of plan.refundsFen.entries()) {
      await pause();
      await this.refund(sale, fen, `${sale.outTradeNo}-${part}`);
    }
    if (plan.refundsFen.length === 0) return;
    // What was told before comes again, late: money that went back neither pays nor grants once more.
    await pause();
    await this.notify(sale, payment, this.anyUp(plan.replica));
    await this.callback(sale, this.anyUp(plan.replica + 1));
  }

  orderCreated(sale: Sale, to: Replica): Promise<Heard> {
    const { outTradeNo, person, packageType } = sale;
    return this.post(to, '/api/payment/internal/order-created', {
      orderId: `order-${outTradeNo.slice(0, 13)}-${outTradeNo.slice(13)}a`,
      outTradeNo,
      userId: person.id,
      openid: person.openid,
      amount: PACKAGE_FEN[packageType],
      packageType,
      tradeType: 'JSAPI',
      status: 'pending',
      reason: 'db_unavailable',
      dbError: `connect ECONNREFUSED mysql://pay:${DB_ERROR_CANARY}@10.0.0.5:3306`,
    });
  }

  notify(sale: Sale, payment: Payment, to: Replica): Promise<Heard> {
    const { outTradeNo, person, packageType } = sale;
    const { transactionId } = payment;
    const body = { outTradeNo, transactionId, status: 'paid', packageType, openid: person.openid };
    return this.post(to, '/api/payment/internal/notify', body);
  }

  /** WeChat Pay calls, and calls again when nobody took it. */
  async callback({ outTradeNo }: Sale, to: Replica): Promise<void> {
    const { headers, body } = this.world.simulator.composePaymentCallback(outTradeNo);
    for (let attempt = 1; attempt <= CALLBACK_TRIES; attempt += 1) {
      const { status } = await this.world.recorder.send({
        client: 'wechatpay',
        to: attempt === 1 ? to : this.anyUp(attempt),
        path: '/api/payment/callback',
        headers,
        body: { outTradeNo, event: 'TRANSACTION.SUCCESS' },
        raw: body.toString('utf8'),
      });
      if (status === 200 || status === 204) return;
      await sleep(CALLBACK_PAUSE_MS);
    }
  }

  /** As an operator's program does it: the same key again until there is an answer that will not change. */
  async refund({ outTradeNo }: Sale, fen: number, key: string): Promise<Heard> {
    let heard: Heard = { status: null, answer: null, durationMs: 0, isRefused: false };
    for (let attempt = 1; attempt <= REFUND_TRIES_MAX; attempt += 1) {
      heard = await this.refundOnce(outTradeNo, fen, { key, to: this.anyUp(attempt) });
      const { status, answer } = heard;
      const error = (answer as { error?: unknown } | null)?.error;
      const isNotPaidYet = status === 404 || (status === 409 && error === 'order_not_paid');
      if (status !== null && status < 500 && status !== 429 && !isNotPaidYet) {
        // Once more, as by somebody who did not see the answer: the same refund, and not another one.
        await this.refundOnce(outTradeNo, fen, { key, to: this.anyUp(attempt + 1) });
        return heard;
      }
      await sleep(REFUND_PAUSE_MS);
    }
    return heard;
  }

  refundOnce(outTradeNo: string, fen: number, { key, to }: { key: string; to: Replica }): Promise<Heard> {
    const body = { outTradeNo, amount: yuan(fen), reason: 'the customer changed their mind' };
    return this.world.recorder.send({
      client: 'operator',
      to,
      path: '/api/admin/refunds',
      headers: { Authorization: `Bearer ${this.world.secrets.adminToken}`, 'Idempotency-Key': key },
      // The key is a header, and without it the history does not say what is one intent.
      body: { ...body, idempotencyKey: key },
      raw: JSON.stringify(body),
    });
  }

  /** What a balancer does: a replica that is up, and this one first. */
  anyUp(first: number): Replica {
    const { replicas } = this.world;
    const turned = replicas.map((_, offset) => replicas[(first + offset) % replicas.length]);
    const found = turned.find((replica) => replica?.isUp) ?? turned[0];
    if (!found) throw new Error('there is no replica');
    return found;
  }

  private async make(sale: Sale, plan: OrderPlan): Promise<void> {
    const { person, outTradeNo, packageType } = sale;
    const row = { outTradeNo, person, packageType, amountFen: PACKAGE_FEN[packageType] };
    const isMade = plan.made === 'api' ? false : await this.world.functions.insertOrder(row);
    // A function that could not write falls back on the backend.
    const copies = isMade ? plan.copies : Math.max(1, plan.copies);
    for (let copy = 0; copy < copies; copy += 1) {
      await this.orderCreated(sale, this.anyUp(plan.replica + copy));
    }
  }

  private async tell(
    sale: Sale,
    payment: Payment,
    { by, plan }: { by: OrderPlan['told'][number] | undefined; plan: OrderPlan },
  ): Promise<void> {
    switch (by) {
      case undefined:
        return;
      case 'notify':
        return void (await this.notify(sale, payment, this.anyUp(plan.replica)));
      case 'notify-other':
        return void (await this.notify(sale, payment, this.anyUp(plan.replica + 1)));
      case 'callback':
        return this.callback(sale, this.anyUp(plan.replica));
      case 'update':
        return void (await this.world.functions.markPaid(sale.outTradeNo, payment));
    }
  }

  private post(to: Replica, path: string, body: unknown): Promise<Heard> {
    const headers = { 'X-Internal-Secret': this.world.secrets.internal };
    return this.world.recorder.send({ client: 'cloud-function', to, path, headers, body });
  }
}

/** What drivers put into their errors; it must not surface anywhere. */
export const DB_ERROR_CANARY = 'canary-pw-in-error-7f3a';

const OPENID_LENGTH = 28;

export function personOf(user: number): Person {
  const openid = `oCanary${String(user).padStart(OPENID_LENGTH - 'oCanary'.length, 'k')}`;
  return { id: `user-1706345678901-${String(user).padStart(6, '0')}`, openid };
}
