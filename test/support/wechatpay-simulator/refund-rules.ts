import { ApiError, invalidRequest, tooMany } from './api-error.ts';
import { DAY_MS } from './beijing-time.ts';
import { Fields, fingerprint } from './fields.ts';
import { statusOf } from './ledger.ts';
import type { Ledger, Order, Payment } from './ledger.ts';
import type { World } from './world.ts';

const REFUND_AGE_MS_MAX = 365 * DAY_MS;
const REFUNDS_PER_ORDER_MAX = 50;
const REASON_BYTES_MAX = 80;
const SECOND_MS = 1000;

export type RefundRequest = {
  readonly outRefundNo: string;
  readonly order: Order;
  readonly refundFen: number;
  readonly totalFen: number;
  readonly notifyUrl: string | null;
  /** Equal for a repeat of the same request, whichever of the two ids named the order. */
  readonly parameters: string;
};

export function readRefund(body: unknown, ledger: Ledger): RefundRequest {
  const fields = new Fields(body);
  const amount = fields.object('amount');
  amount.oneOf('currency', ['CNY']);
  fields.optionalText('reason', REASON_BYTES_MAX);
  if (fields.has('funds_account')) fields.oneOf('funds_account', ['AVAILABLE', 'UNSETTLED']);
  const order = findOrder(fields, ledger);
  const { transaction_id: _byId, out_trade_no: _byNo, ...others } = body as Record<string, unknown>;
  return {
    outRefundNo: fields.outRefundNo(),
    order,
    refundFen: amount.positiveInteger('refund'),
    totalFen: amount.positiveInteger('total'),
    notifyUrl: fields.has('notify_url') ? fields.notifyUrl() : null,
    parameters: `${order.outTradeNo} ${fingerprint(others)}`,
  };
}

/** @returns the payment to give back from; @throws ApiError when a rule of WeChat Pay forbids it */
export function checkRefund(request: RefundRequest, world: World): Payment {
  const { order } = request;
  if (!order.payment) throw orderNotPaid();
  const nowMs = world.clock.nowMs();
  if (nowMs - order.payment.successTimeMs > REFUND_AGE_MS_MAX) {
    throw invalidRequest('订单已经超过退款期限');
  }
  if (request.totalFen !== order.totalFen) throw invalidRequest('订单金额或退款金额与之前请求不一致');
  const open = world.ledger.refundsOf(order).filter((refund) => statusOf(refund) !== 'CLOSED');
  const refundedFen = open.reduce((sum, refund) => sum + refund.refundFen, 0);
  if (refundedFen + request.refundFen > order.totalFen) throw invalidRequest('申请退款金额超过订单可退金额');
  if (open.length >= REFUNDS_PER_ORDER_MAX) throw invalidRequest('订单部分退款次数超过限制');
  const lastMs = Math.max(...world.ledger.refundsOf(order).map(({ createdAtMs }) => createdAtMs));
  if (nowMs - lastMs < world.settings.refundGapMs) throw tooMany('同一笔订单多次退款的请求需间隔1分钟');
  return order.payment;
}

function findOrder(fields: Fields, ledger: Ledger): Order {
  const transactionId = fields.optionalText('transaction_id', 32);
  const outTradeNo = fields.has('out_trade_no') ? fields.outTradeNo() : null;
  if (transactionId === null && outTradeNo === null) {
    throw fields.wrong('transaction_id', '与out_trade_no不能同时为空');
  }
  const byId = transactionId === null ? undefined : ledger.findByTransactionId(transactionId);
  const byNo = outTradeNo === null ? undefined : ledger.findOrder(outTradeNo);
  const order = byId ?? byNo;
  if (!order) throw orderNotPaid();
  const isOneOrder = (transactionId === null || byId === order) && (outTradeNo === null || byNo === order);
  if (!isOneOrder) throw invalidRequest('微信支付订单号与商户订单号不匹配');
  return order;
}

function orderNotPaid(): ApiError {
  return new ApiError({ status: 404, code: 'RESOURCE_NOT_EXISTS', message: '订单不存在' });
}

/** WeChat Pay counts refused refund requests, and refuses the next ones unread when there are too many in a second. */
export class FailureLimit {
  private readonly world: World;
  private failedAtMs: number[] = [];

  constructor(world: World) {
    this.world = world;
  }

  watch<Result>(run: () => Result): Result {
    const nowMs = this.world.clock.nowMs();
    const max = this.world.settings.failingRefundsPerSecondMax;
    this.failedAtMs = this.failedAtMs.filter((atMs) => nowMs - atMs < SECOND_MS);
    if (max !== null && this.failedAtMs.length >= max) throw tooMany();
    try {
      return run();
    } catch (error) {
      this.failedAtMs.push(nowMs);
      throw error;
    }
  }
}
