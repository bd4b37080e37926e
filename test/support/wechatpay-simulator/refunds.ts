import { constants, privateDecrypt } from 'node:crypto';
import { ApiError, invalidRequest, paramError } from './api-error.ts';
import { toDateDigits, toRfc3339 } from './beijing-time.ts';
import { Fields } from './fields.ts';
import type { JsonObject } from './fields.ts';
import { randomDigits } from './keys.ts';
import type { PlatformKey } from './keys.ts';
import { refundSuccessTimeMs, statusOf } from './ledger.ts';
import type { Movement, Order, Payment, Refund, RefundEnd } from './ledger.ts';
import { checkRefund, FailureLimit, readRefund } from './refund-rules.ts';
import type { RefundRequest } from './refund-rules.ts';
import { SHORT_FUNDS_TRIED_MS } from './settings.ts';
import type { World } from './world.ts';

const REFUND_ID_LENGTH = 29;
const ABNORMAL_TYPES = ['USER_BANK_CARD', 'MERCHANT_BANK_CARD'];
const DEBIT_CARDS = 'CMB COMM ABC CCB ICBC BOC PAB SPDB CITIC CEB CMBC CIB GDB PSBC NBCB'
  .split(' ')
  .map((bank) => `${bank}_DEBIT`);

export type OnRefundEnd = (refund: Refund, end: RefundEnd) => void;

/** Refunds: accepted first, ended later. */
export class Refunds {
  private readonly world: World;
  private readonly onEnd: OnRefundEnd;
  private readonly failures: FailureLimit;

  constructor(world: World, onEnd: OnRefundEnd) {
    this.world = world;
    this.onEnd = onEnd;
    this.failures = new FailureLimit(world);
  }

  create(body: unknown): JsonObject {
    return this.failures.watch(() => this.describe(this.accept(readRefund(body, this.world.ledger))));
  }

  query(outRefundNo: string): JsonObject {
    const refund = this.world.ledger.findRefund(outRefundNo);
    if (!refund) throw refundNotExist();
    return this.describe(refund);
  }

  /** Sends the money of an ABNORMAL refund to another card. */
  applyAbnormal(refundId: string, body: unknown, key: PlatformKey | null): JsonObject {
    const fields = new Fields(body);
    const refund = this.world.ledger.findRefund(fields.outRefundNo());
    if (!refund || refund.refundId !== refundId) throw refundNotExist();
    const type = fields.oneOf('type', ABNORMAL_TYPES);
    if (type === 'USER_BANK_CARD') checkCard(fields, key);
    if (statusOf(refund) !== 'ABNORMAL') throw invalidRequest('退款单状态不是退款异常，不允许发起异常退款');
    refund.history.push({ status: 'PROCESSING', atMs: this.world.clock.nowMs() });
    this.endLater(refund, 'SUCCESS');
    return this.describe(refund);
  }

  /** Ends a refund now, whatever its time table says. @throws Error when it has ended for good */
  end(outRefundNo: string, end: RefundEnd, atMs = this.world.clock.nowMs()): Refund {
    const refund = this.world.ledger.getRefund(outRefundNo);
    const before = statusOf(refund);
    const isOpen = before === 'PROCESSING' || (before === 'ABNORMAL' && end === 'SUCCESS');
    if (!isOpen) throw new Error(`refund ${outRefundNo} is ${before}: it cannot become ${end}`);
    refund.history.push({ status: end, atMs });
    if (end === 'CLOSED' && refund.isCovered) this.returnMoney(refund, atMs);
    this.onEnd(refund, end);
    return refund;
  }

  accept(request: RefundRequest): Refund {
    const { ledger, clock } = this.world;
    const known = ledger.findRefund(request.outRefundNo);
    if (known) {
      if (known.parameters === request.parameters) return known;
      throw invalidRequest('退款请求重入时，参数与首次请求时不一致');
    }
    const { order } = request;
    const payment = checkRefund(request, this.world);
    const nowMs = clock.nowMs();
    const shares = this.shareOut(request, payment);
    const isCovered = ledger.balanceFen >= request.refundFen - shares.feeReturnedFen;
    if (!isCovered && this.world.settings.shortFunds === 'refuse') {
      throw new ApiError({ status: 403, code: 'NOT_ENOUGH', message: '基本账户余额不足，请充值后重新发起' });
    }
    const refund: Refund = {
      outRefundNo: request.outRefundNo,
      refundId: makeRefundId(nowMs),
      order,
      payment,
      refundFen: request.refundFen,
      ...shares,
      notifyUrl: request.notifyUrl,
      parameters: request.parameters,
      createdAtMs: nowMs,
      isCovered,
      history: [{ status: 'PROCESSING', atMs: nowMs }],
    };
    ledger.addRefund(refund);
    order.state = 'REFUND';
    if (isCovered) this.takeMoney(refund);
    this.endLater(refund, this.world.settings.refundEnd);
    return refund;
  }

  describe(refund: Readonly<Refund>): JsonObject {
    const successTimeMs = refundSuccessTimeMs(refund);
    const { refundFen, payerRefundFen, payment, order } = refund;
    return {
      refund_id: refund.refundId,
      out_refund_no: refund.outRefundNo,
      transaction_id: payment.transactionId,
      out_trade_no: order.outTradeNo,
      channel: 'ORIGINAL',
      user_received_account: '支付用户零钱',
      ...(successTimeMs !== null && { success_time: toRfc3339(successTimeMs) }),
      create_time: toRfc3339(refund.createdAtMs),
      status: statusOf(refund),
      funds_account: 'AVAILABLE',
      amount: {
        total: order.totalFen,
        refund: refundFen,
        payer_total: payment.payerTotalFen,
        payer_refund: payerRefundFen,
        settlement_total: order.totalFen,
        settlement_refund: refundFen,
        discount_refund: refundFen - payerRefundFen,
        currency: 'CNY',
      },
      promotion_detail: [],
    };
  }

  /** The same facts as a notice tells them, which names and chooses the fields differently. */
  describeForNotice(refund: Readonly<Refund>, end: RefundEnd): JsonObject {
    const { payment, order } = refund;
    const successTimeMs = refundSuccessTimeMs(refund);
    return {
      mchid: this.world.merchant.mchid,
      out_trade_no: order.outTradeNo,
      transaction_id: payment.transactionId,
      out_refund_no: refund.outRefundNo,
      refund_id: refund.refundId,
      refund_status: end,
      ...(end === 'SUCCESS' && successTimeMs !== null && { success_time: toRfc3339(successTimeMs) }),
      user_received_account: '支付用户零钱',
      amount: {
        total: order.totalFen,
        refund: refund.refundFen,
        payer_total: payment.payerTotalFen,
        payer_refund: refund.payerRefundFen,
      },
    };
  }

  /** Parts are rounded over all refunds together, so that the last one returns exactly what is left. */
  private shareOut({ order, refundFen }: RefundRequest, payment: Payment) {
    const open = this.world.ledger.refundsOf(order).filter((refund) => statusOf(refund) !== 'CLOSED');
    const sumFen = (of: (refund: Refund) => number): number => open.reduce((sum, one) => sum + of(one), 0);
    const refundedFen = sumFen((one) => one.refundFen) + refundFen;
    const shareOf = (wholeFen: number): number => Math.round((wholeFen * refundedFen) / order.totalFen);
    return {
      payerRefundFen: shareOf(payment.payerTotalFen) - sumFen((one) => one.payerRefundFen),
      feeReturnedFen: shareOf(payment.feeFen) - sumFen((one) => one.feeReturnedFen),
    };
  }

  private endLater(refund: Refund, end: RefundEnd): void {
    const { refundEndsAfterMs } = this.world.settings;
    const waitMs = refund.isCovered ? refundEndsAfterMs : SHORT_FUNDS_TRIED_MS;
    if (waitMs === null) return;
    const steps = refund.history.length;
    this.world.agenda.add(this.world.clock.nowMs() + waitMs, (dueMs) => {
      // A test may have ended it before, and even sent it on its way again.
      if (refund.history.length > steps) return;
      this.end(refund.outRefundNo, refund.isCovered ? end : 'CLOSED', dueMs);
    });
  }

  private takeMoney(refund: Refund): void {
    const amountFen = refund.feeReturnedFen - refund.refundFen;
    this.bookFor(refund, { kind: 'refund', amountFen, atMs: refund.createdAtMs });
  }

  private returnMoney(refund: Refund, atMs: number): void {
    const amountFen = refund.refundFen - refund.feeReturnedFen;
    this.bookFor(refund, { kind: 'refund-returned', amountFen, atMs });
  }

  private bookFor(refund: Refund, booking: Pick<Movement, 'kind' | 'amountFen' | 'atMs'>): void {
    this.world.ledger.book({
      ...booking,
      businessNo: refund.refundId,
      voucherNo: refund.outRefundNo,
      remark: refund.order.description,
    });
  }
}

/** The order a merchant's request or an operator on the merchant platform wants refunded. */
export function toRefundRequest(
  order: Order,
  wanted: { outRefundNo: string; refundFen: number },
): RefundRequest {
  return { ...wanted, order, totalFen: order.totalFen, notifyUrl: null, parameters: 'merchant-platform' };
}

function checkCard(fields: Fields, key: PlatformKey | null): void {
  fields.oneOf('bank_type', DEBIT_CARDS);
  if (!key) throw paramError('Http头Wechatpay-Serial有误，无法解密敏感信息', { location: 'header' });
  for (const name of ['bank_account', 'real_name']) {
    const encrypted = Buffer.from(fields.text(name, 1024), 'base64');
    try {
      const padding = constants.RSA_PKCS1_OAEP_PADDING;
      privateDecrypt({ key: key.privateKey, padding, oaepHash: 'sha1' }, encrypted);
    } catch {
      throw fields.wrong(name, '敏感信息解密失败');
    }
  }
}

function refundNotExist(): ApiError {
  return new ApiError({ status: 404, code: 'RESOURCE_NOT_EXISTS', message: '退款单不存在' });
}

function makeRefundId(nowMs: number): string {
  const start = `503${randomDigits(5)}${toDateDigits(nowMs)}`;
  return start + randomDigits(REFUND_ID_LENGTH - start.length);
}
