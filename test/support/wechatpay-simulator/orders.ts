import { randomBytes } from 'node:crypto';
import { ApiError, invalidRequest, paramError } from './api-error.ts';
import { DAY_MS, toDateDigits, toRfc3339 } from './beijing-time.ts';
import { Fields, fingerprint } from './fields.ts';
import type { JsonObject } from './fields.ts';
import { randomDigits } from './keys.ts';
import { isPaid } from './ledger.ts';
import type { Order, Payment, TradeState, TradeType } from './ledger.ts';
import { CLOSE_PAID_ANSWERS } from './settings.ts';
import type { World } from './world.ts';

const PREPAY_LIFE_MS = 2 * 3_600_000;
const ORDER_LIFE_MS = 7 * DAY_MS;
const DESCRIPTION_BYTES_MAX = 127;
const ATTACH_BYTES_MAX = 128;
const OPENID_BYTES_MAX = 128;
const TRANSACTION_ID_LENGTH = 28;

const STATE_WORDS: Record<TradeState, string> = {
  SUCCESS: '支付成功',
  REFUND: '订单发生过退款，退款详情请查询退款单',
  NOTPAY: '订单未支付',
  CLOSED: '订单已关闭',
};

export type PlaceOrder = {
  outTradeNo: string;
  totalFen: number;
  tradeType?: TradeType;
  /** The payer of a JSAPI order; made up when absent. */
  openid?: string;
  notifyUrl?: string;
  description?: string;
  attach?: string;
};

export type PayOptions = { openid?: string; couponFen?: number };

/** Prepay, query, close; and the customer who pays. */
export class Orders {
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  /** @returns what the prepay answers: prepay_id for JSAPI, code_url for NATIVE */
  prepay(tradeType: TradeType, body: unknown): JsonObject {
    const fields = new Fields(body);
    const outTradeNo = fields.outTradeNo();
    this.checkMerchant(fields);
    const parameters = tradeType + fingerprint(body);
    const known = this.world.ledger.findOrder(outTradeNo);
    if (known) this.renew(known, parameters);
    else this.add({ tradeType, fields, parameters });
    return tradeType === 'JSAPI'
      ? { prepay_id: makePrepayId(this.world.clock.nowMs()) }
      : { code_url: `weixin://wxpay/bizpayurl?pr=${randomBytes(6).toString('base64url')}` };
  }

  /** What a shop does before its customer can pay, without the way over HTTP. */
  place(given: PlaceOrder): Order {
    const { merchant, settings, ledger } = this.world;
    const tradeType = given.tradeType ?? 'JSAPI';
    this.prepay(tradeType, {
      appid: merchant.appid,
      mchid: merchant.mchid,
      description: given.description ?? 'Simulated goods',
      out_trade_no: given.outTradeNo,
      notify_url: given.notifyUrl ?? settings.notifyUrl,
      amount: { total: given.totalFen, currency: 'CNY' },
      ...(given.attach !== undefined && { attach: given.attach }),
      ...(tradeType === 'JSAPI' && { payer: { openid: given.openid ?? makeOpenid() } }),
    });
    return ledger.getOrder(given.outTradeNo);
  }

  /** @throws Error when no customer could pay this order now */
  pay(outTradeNo: string, options: PayOptions = {}): Order {
    const { ledger, clock, settings } = this.world;
    const order = ledger.getOrder(outTradeNo);
    const nowMs = clock.nowMs();
    if (order.state !== 'NOTPAY') throw new Error(`order ${outTradeNo} is ${order.state}: nobody can pay it`);
    if (nowMs >= order.prepayValidUntilMs) throw new Error(`the prepay of order ${outTradeNo} has run out`);
    const couponFen = options.couponFen ?? 0;
    const payment: Payment = {
      transactionId: makeTransactionId(nowMs),
      successTimeMs: nowMs,
      openid: order.openid ?? options.openid ?? makeOpenid(),
      payerTotalFen: order.totalFen - couponFen,
      couponFen,
      feeFen: Math.round((order.totalFen * settings.feeBasisPoints) / 10_000),
    };
    if (payment.payerTotalFen < 0) throw new Error('a coupon cannot be worth more than the order');
    order.payment = payment;
    order.state = 'SUCCESS';
    const booking = { atMs: nowMs, businessNo: payment.transactionId, voucherNo: outTradeNo };
    ledger.book({ ...booking, kind: 'payment', amountFen: order.totalFen, remark: order.description });
    ledger.book({ ...booking, kind: 'fee', amountFen: -payment.feeFen, remark: '' });
    return order;
  }

  queryByOutTradeNo(outTradeNo: string, mchid: string | null): JsonObject {
    this.checkMchid(mchid);
    return this.show(this.world.ledger.findOrder(outTradeNo));
  }

  queryByTransactionId(transactionId: string, mchid: string | null): JsonObject {
    this.checkMchid(mchid);
    return this.show(this.world.ledger.findByTransactionId(transactionId));
  }

  close(outTradeNo: string, body: unknown): void {
    this.checkMchid(new Fields(body).text('mchid', 32));
    const order = this.world.ledger.findOrder(outTradeNo);
    if (!order) throw orderNotExist();
    if (isPaid(order)) {
      const answer = CLOSE_PAID_ANSWERS[this.world.settings.closePaidAnswer];
      throw new ApiError({ ...answer, message: '该订单已支付' });
    }
    order.state = 'CLOSED';
  }

  /** An order as the query shows it; a payment's notice carries the same. */
  describe(order: Readonly<Order>): JsonObject {
    const { merchant, settings } = this.world;
    const always = {
      mchid: merchant.mchid,
      out_trade_no: order.outTradeNo,
      trade_state: order.state,
      trade_state_desc: STATE_WORDS[order.state],
    };
    if (order.payment) return { ...always, appid: merchant.appid, ...describePayment(order, order.payment) };
    if (settings.unpaidAnswer === 'sparse') return always;
    const amount = { total: order.totalFen, payer_currency: 'CNY', currency: 'CNY' };
    const empty = { attach: '', promotion_detail: [], scene_info: { device_id: '' } };
    return { ...always, appid: merchant.appid, amount, ...empty };
  }

  private show(order: Order | undefined): JsonObject {
    if (!order) throw orderNotExist();
    return this.describe(order);
  }

  private renew(order: Order, parameters: string): void {
    if (isPaid(order)) throw new ApiError({ status: 400, code: 'ORDER_PAID', message: '该订单已支付' });
    if (order.state === 'CLOSED') {
      throw new ApiError({ status: 400, code: 'ORDER_CLOSED', message: '该订单已关闭' });
    }
    if (order.parameters !== parameters) {
      throw new ApiError({ status: 403, code: 'OUT_TRADE_NO_USED', message: '商户订单号重复' });
    }
    order.prepayValidUntilMs = Math.min(this.world.clock.nowMs() + PREPAY_LIFE_MS, order.closesAtMs);
  }

  private add(from: { tradeType: TradeType; fields: Fields; parameters: string }): void {
    const { fields } = from;
    const nowMs = this.world.clock.nowMs();
    const amount = fields.object('amount');
    if (amount.has('currency')) amount.oneOf('currency', ['CNY']);
    const closesAtMs = this.readExpiryMs(fields, nowMs);
    const order: Order = {
      outTradeNo: fields.outTradeNo(),
      tradeType: from.tradeType,
      totalFen: amount.positiveInteger('total'),
      description: fields.text('description', DESCRIPTION_BYTES_MAX),
      attach: fields.optionalText('attach', ATTACH_BYTES_MAX),
      openid: from.tradeType === 'JSAPI' ? fields.object('payer').text('openid', OPENID_BYTES_MAX) : null,
      notifyUrl: fields.notifyUrl(),
      parameters: from.parameters,
      createdAtMs: nowMs,
      closesAtMs,
      prepayValidUntilMs: Math.min(nowMs + PREPAY_LIFE_MS, closesAtMs),
      state: 'NOTPAY',
      payment: null,
    };
    this.world.ledger.addOrder(order);
    this.world.agenda.add(closesAtMs, () => {
      if (order.state === 'NOTPAY') order.state = 'CLOSED';
    });
  }

  private readExpiryMs(fields: Fields, nowMs: number): number {
    const text = fields.optionalText('time_expire', 64);
    if (text === null) return nowMs + ORDER_LIFE_MS;
    const expiresAtMs = Date.parse(text);
    if (Number.isNaN(expiresAtMs)) throw fields.wrong('time_expire', '应为RFC3339格式的时间');
    if (expiresAtMs <= nowMs) throw invalidRequest('订单失效时间不能早于当前时间');
    return Math.min(expiresAtMs, nowMs + ORDER_LIFE_MS);
  }

  private checkMerchant(fields: Fields): void {
    this.checkMchid(fields.text('mchid', 32));
    if (fields.text('appid', 32) !== this.world.merchant.appid) {
      throw new ApiError({ status: 400, code: 'APPID_MCHID_NOT_MATCH', message: 'appid和mch_id不匹配' });
    }
  }

  private checkMchid(mchid: string | null): void {
    if (!mchid) throw paramError('输入源“/query/mchid”必填性规则校验失败，此字段为必填项');
    if (mchid !== this.world.merchant.mchid) {
      throw new ApiError({ status: 400, code: 'MCH_NOT_EXISTS', message: '商户号不存在' });
    }
  }
}

function describePayment(order: Readonly<Order>, payment: Payment): JsonObject {
  const coupon = {
    coupon_id: '1091279361',
    name: '代金券',
    scope: 'GLOBAL',
    type: 'CASH',
    amount: payment.couponFen,
    currency: 'CNY',
  };
  return {
    transaction_id: payment.transactionId,
    trade_type: order.tradeType,
    bank_type: 'OTHERS',
    attach: order.attach ?? '',
    success_time: toRfc3339(payment.successTimeMs),
    payer: { openid: payment.openid },
    amount: {
      total: order.totalFen,
      payer_total: payment.payerTotalFen,
      currency: 'CNY',
      payer_currency: 'CNY',
    },
    promotion_detail: payment.couponFen > 0 ? [coupon] : [],
  };
}

function orderNotExist(): ApiError {
  return new ApiError({ status: 404, code: 'ORDER_NOT_EXIST', message: '订单不存在' });
}

function makePrepayId(nowMs: number): string {
  const time = toRfc3339(nowMs).slice(0, 19).replace(/[-T:]/g, '');
  return `wx${time}${randomBytes(10).toString('hex')}`;
}

function makeTransactionId(nowMs: number): string {
  const start = `4200${randomDigits(6)}${toDateDigits(nowMs)}`;
  return start + randomDigits(TRANSACTION_ID_LENGTH - start.length);
}

function makeOpenid(): string {
  return `o${randomBytes(21).toString('base64url').slice(0, 27)}`;
}
