import { DomainError } from '../shared/domain-error.js';
import type { DomainErrorKind } from '../shared/domain-error.js';
import type { OutTradeNo } from '../shared/ids.js';
import type { Money } from '../shared/money.js';

/**
 * What the caller must do about a call that gave no result:
 * - `unknown`: it may or may not have taken effect. Ask again; repeat it only with the same numbers and parameters.
 * - `not_accepted`: this attempt had no effect. Repeat it later with the same number. (It says nothing about earlier attempts.)
 * - `final`: WeChat Pay refuses this for a business reason, given in `message`. Refusals are not signed: confirm by a
 *   query before a state that moves money becomes final on it.
 * - `not_found`: WeChat Pay knows no such order, refund or bill.
 * - `misconfigured`: the configuration or this code is at fault. No blind repetition; an operator must act.
 */
export type WechatpayOutcome = 'unknown' | 'not_accepted' | 'final' | 'not_found' | 'misconfigured';

const KIND_BY_OUTCOME: Record<WechatpayOutcome, DomainErrorKind> = {
  unknown: 'unavailable',
  not_accepted: 'unavailable',
  final: 'conflict',
  not_found: 'not_found',
  misconfigured: 'unavailable',
};

export type WechatpayFailure = {
  /** WeChat Pay's code in capitals without underscores (`ORDERNOTEXIST`), or in small letters one of our own. */
  readonly reason: string;
  readonly message: string;
  readonly httpStatus?: number;
  /** What WeChat Pay's support asks for. */
  readonly requestId?: string;
  /** The least time to wait before this call is repeated. */
  readonly retryAfterMs?: number;
};

/** A call to WeChat Pay that gave no result. Never carries the request, the answer or a header of either. */
export class WechatpayError extends DomainError {
  readonly reason: string;
  readonly httpStatus: number | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;

  constructor(
    readonly outcome: WechatpayOutcome,
    failure: WechatpayFailure,
  ) {
    super(`wechatpay_${outcome}`, KIND_BY_OUTCOME[outcome], failure.message);
    this.name = 'WechatpayError';
    this.reason = failure.reason;
    this.httpStatus = failure.httpStatus ?? null;
    this.requestId = failure.requestId ?? null;
    this.retryAfterMs = failure.retryAfterMs ?? null;
  }
}

/** Why a callback was refused; the last three only happen to messages that WeChat Pay did sign. */
export type CallbackRefusal =
  | 'headers_missing'
  | 'expired'
  | 'unknown_serial'
  | 'bad_signature'
  | 'unreadable'
  | 'wrong_merchant'
  | 'unsupported_event';

/** A message to a callback that must have no effect. Answer 4xx or 5xx: WeChat Pay then sends a genuine one again. */
export class WechatpayCallbackRefused extends DomainError {
  constructor(
    readonly refusal: CallbackRefusal,
    message: string,
  ) {
    super(`wechatpay_callback_${refusal}`, refusal === 'unreadable' ? 'invalid' : 'unauthorized', message);
    this.name = 'WechatpayCallbackRefused';
  }
}

type OrderAnswer = {
  readonly outTradeNo: OutTradeNo;
  /** JSAPI, NATIVE, APP, …; null as long as WeChat Pay does not tell. */
  readonly tradeType: string | null;
};

/** A paid order; with `REFUND` a part or all of it was paid back, which does not make it unpaid. */
export type WechatpayPaidOrder = OrderAnswer & {
  readonly state: 'paid';
  readonly tradeState: 'SUCCESS' | 'REFUND';
  readonly transactionId: string;
  /** The order's amount, coupons included: what the table must say. */
  readonly amount: Money;
  readonly paidAt: Date;
  /** Personal: never logged, never answered. */
  readonly openid: string | null;
};

/** `closed` can never be paid any more; `unpaid` still can. */
export type WechatpayUnpaidOrder = OrderAnswer &
  (
    | { readonly state: 'unpaid'; readonly tradeState: 'NOTPAY' | 'USERPAYING' | 'PAYERROR' }
    | { readonly state: 'closed'; readonly tradeState: 'CLOSED' | 'REVOKED' }
  );

export type WechatpayOrder = WechatpayPaidOrder | WechatpayUnpaidOrder;

/**
 * `PROCESSING` was accepted; `CLOSED` is final and moved no money, a retry needs a new number; `ABNORMAL` left the merchant
 * but did not arrive: it is not final, and must never be sent again under a new number.
 */
export type WechatpayRefundStatus = 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL';

export type WechatpayRefund = {
  readonly outRefundNo: string;
  readonly refundId: string;
  readonly outTradeNo: OutTradeNo;
  readonly transactionId: string;
  readonly status: WechatpayRefundStatus;
  readonly refundAmount: Money;
  readonly orderAmount: Money;
  /** Null in a notification, which does not tell it. */
  readonly acceptedAt: Date | null;
  /** When the money arrived; null before, and when WeChat Pay leaves it out. */
  readonly succeededAt: Date | null;
  /** Where the money went, in WeChat Pay's words. Personal: never logged. */
  readonly receivedAccount: string | null;
};

/** A repetition must say exactly the same again, the reason included: other parameters under one number are refused. */
export type RefundRequest = {
  readonly order: { readonly transactionId: string } | { readonly outTradeNo: OutTradeNo };
  /** Our own number, kept from before the first attempt. A new number is a second payout. */
  readonly outRefundNo: string;
  readonly refundAmount: Money;
  readonly orderAmount: Money;
  readonly reason?: string;
  readonly notifyUrl?: string;
  readonly fundsAccount?: 'AVAILABLE' | 'UNSETTLED';
};

/** Where the money of an `ABNORMAL` refund goes instead. The account and the name are encrypted before they leave. */
export type AbnormalRefundRequest = {
  readonly refundId: string;
  readonly outRefundNo: string;
  readonly target:
    | { readonly type: 'MERCHANT_BANK_CARD' }
    | {
        readonly type: 'USER_BANK_CARD';
        readonly bankType: string;
        readonly bankAccount: string;
        readonly realName: string;
      };
};

/** For callers that cannot wait as long as a job can. */
export type AskOptions = { readonly deadlineMs?: number };

/** Days are Beijing days, `YYYY-MM-DD`: a payment belongs to the day it succeeded, a refund to the day it was accepted. */
export type TradeBillRequest = {
  readonly billDate: string;
  readonly billType?: 'ALL' | 'SUCCESS' | 'REFUND';
  /** Compressed on the way unless said otherwise; the bytes of {@link WechatpayBillTicket} are the same. */
  readonly isCompressed?: boolean;
};

export type FundFlowBillRequest = {
  readonly billDate: string;
  readonly accountType?: 'BASIC' | 'OPERATION' | 'FEES';
  readonly isCompressed?: boolean;
};

/** Permission to download one bill, good for about 30 seconds. */
export type WechatpayBillTicket = {
  /** SHA-1 of the uncompressed file, hexadecimal. */
  readonly sha1: string;
  readonly token: string;
  readonly tarType: string | null;
};

/** A refund as a trade bill names it. What became of it is not read there: a bill is a snapshot of its day. */
export type WechatpayBillRefund = {
  readonly outTradeNo: string;
  readonly outRefundNo: string;
  readonly refundId: string;
  readonly transactionId: string;
};

/** A message to a callback, proven to come from WeChat Pay and to be for this merchant and app. */
export type WechatpayNotification = {
  /** The delivery's id: the same in every redelivery. */
  readonly id: string;
} & (
  | { readonly kind: 'payment'; readonly order: WechatpayPaidOrder }
  | { readonly kind: 'refund'; readonly refund: WechatpayRefund }
);

/** A message to a callback as it arrived: the bytes, not what a JSON parser made of them. */
export type ReceivedCallback = {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly rawBody: Buffer;
};
