import type { Actor } from '../shared/actor.js';
import type { OutTradeNo } from '../shared/ids.js';
import type { Money } from '../shared/money.js';
import { REFUND_STATES } from './refund.state.js';
import type { RefundState } from './refund.state.js';

export { REFUND_STATES };
export type { RefundState };

export type RefundChannelName = 'wechatpay' | 'cloud-function';

/** What an operator asks for. */
export type RefundWish = {
  readonly outTradeNo: OutTradeNo;
  /** Null: all that is left. */
  readonly amount: Money | null;
  readonly reason: string;
  /** The same key with the same content is the same refund, however often it arrives. */
  readonly idempotencyKey: string;
  readonly by: Actor;
};

/** What goes out: the same to the letter in every repetition, or WeChat Pay refuses it. */
export type RefundOrderToSend = {
  readonly outRefundNo: string;
  readonly outTradeNo: OutTradeNo;
  readonly transactionId: string | null;
  readonly refundAmount: Money;
  readonly orderAmount: Money;
  readonly reason: string;
};

/** What somebody who may say so says of a refund. */
export type ReportedRefund = {
  readonly outRefundNo: string;
  readonly outTradeNo: OutTradeNo;
  readonly refundId: string | null;
  readonly transactionId: string | null;
  readonly status: 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL';
  readonly refundAmount: Money;
  readonly orderAmount: Money;
  /** WeChat Pay's `success_time`; null before, and where it is not told. */
  readonly succeededAt: Date | null;
  /** Which road it came by; kept in the audit log. */
  readonly source: 'wechat-query' | 'wechat-callback' | 'wechat-answer' | 'cloud-function' | 'table';
};

export type ReportedOutcome =
  /** Taken in; the refund has this state now. */
  | RefundState
  /** No such order here yet: it may still be on its way. */
  | 'order_unknown'
  /** It contradicts what is settled: an exception of kind `refund_conflict` says how. */
  | 'conflict';

/** A refund as it may be shown to an operator. */
export type RefundView = {
  readonly outRefundNo: string;
  readonly outTradeNo: string;
  readonly refundId: string | null;
  readonly transactionId: string | null;
  /** Null where only others wrote the row and its unit is not certain. */
  readonly amountFen: number | null;
  readonly orderAmountFen: number | null;
  readonly status: RefundState;
  /** `requested`, `sent`, `accepted`; null for a row of others that was not looked at yet. */
  readonly stage: string | null;
  readonly origin: 'operator' | 'foreign';
  readonly channel: RefundChannelName | null;
  readonly reason: string | null;
  readonly requestedBy: string | null;
  /** The last thing that was answered about it, in words or WeChat Pay's code. */
  readonly lastAnswer: string | null;
  /** When it is sent or asked about next; null when it is at its end. */
  readonly dueAt: string | null;
  readonly refundedAt: string | null;
  readonly createdAt: string | null;
};

export type RefundFilter = {
  readonly outTradeNo?: string;
  readonly status?: RefundState;
  readonly origin?: 'operator' | 'foreign';
  readonly from?: Date;
  readonly to?: Date;
};

/** What waits: counted up to a limit, ages in seconds. */
export type RefundBacklog = {
  /** Under way. */
  readonly pending: number;
  /** Left the account and did not arrive. */
  readonly abnormal: number;
  /** To be sent or asked about now. */
  readonly due: number;
  readonly oldestDueSeconds: number;
};

/** A place in the list of refunds: `createdAt` is a time in ISO form. */
export type RefundPosition = { readonly createdAt: string; readonly id: string };
