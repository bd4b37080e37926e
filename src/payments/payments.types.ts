import type { Actor } from '../shared/actor.js';
import type { OutTradeNo } from '../shared/ids.js';
import type { Money } from '../shared/money.js';

/** What WeChat Pay itself says about a payment: signed, or answered to our own question. It decides. */
export type PaymentEvidence = {
  readonly transactionId: string;
  /** What the customer was charged, coupons included. */
  readonly amount: Money;
  /** WeChat Pay's `success_time`. */
  readonly paidAt: Date;
  readonly openid: string | null;
  readonly tradeType: string | null;
  /** Something was given back already; how much, only the refunds tell. */
  readonly refunded: boolean;
};

/** A payment as WeChat Pay tells it, in an answer or in a callback. */
export type ProvenPayment = Omit<PaymentEvidence, 'refunded'> & {
  readonly outTradeNo: OutTradeNo;
  readonly tradeState: 'SUCCESS' | 'REFUND';
};

/** Somebody says an order was paid. */
export type PaidClaim = {
  readonly outTradeNo: OutTradeNo;
  /** Which road the claim came by; kept in the ledger and the audit log. */
  readonly source:
    'notify' | 'sweep' | 'order-created' | 'wechat-callback' | 'wechat-query' | 'wechat-unreachable';
  /** Null when the claim is hearsay: a notice of a cloud function, or the table's own word. */
  readonly evidence: PaymentEvidence | null;
  /** Null proves nothing: the claim then counts only when the table says paid as well. */
  readonly transactionId: string | null;
  readonly openid: string | null;
  readonly generationId: string | null;
  /** When the claim arrived; the time of payment as far as nothing better is known. */
  readonly seenAt: Date;
};

export type PaidOutcome =
  | 'granted'
  | 'already_granted'
  /** Paid, but an operator decides: an exception of kind `payment_held` says why. */
  | 'held'
  /** The order was refunded: nothing is granted any more. */
  | 'refunded'
  /** No such order yet: it may still be on its way. */
  | 'order_unknown'
  /** The order is not paid in the table and the claim names no transaction. */
  | 'unproven'
  /** WeChat Pay is being asked; its answer comes as a claim with evidence. */
  | 'asked';

/** An order as a cloud function tells it after its own database failed. */
export type BackedUpOrder = {
  readonly outTradeNo: OutTradeNo;
  readonly orderId: string | null;
  readonly userId: string | null;
  readonly openid: string | null;
  readonly unionid: string | null;
  readonly amount: Money;
  /** Null when it was absent or unknown; `statedPackage` then says what was written. */
  readonly packageType: 'free' | 'basic' | 'premium' | null;
  readonly statedPackage: string | null;
  readonly tradeType: string;
  readonly receivedAt: Date;
};

export type CreatedOutcome = 'created' | 'completed' | 'conflict';

/** An order as far as a refund needs it, locked. */
export type RefundableOrder = {
  readonly outTradeNo: OutTradeNo;
  readonly status: 'pending' | 'paid' | 'failed' | 'refunded';
  /** Null when the stored amount is none. */
  readonly amount: Money | null;
  /** Null, too, where an old row carries the merchant number in its place. */
  readonly transactionId: string | null;
  readonly paidAt: Date | null;
  readonly createdAt: Date | null;
};

export type FullRefund = {
  readonly outTradeNo: OutTradeNo;
  /** Null leaves the reason that the row has. */
  readonly reason: string | null;
  readonly by: string;
};

/** What an operator decided about a paid order that was held. */
export type OperatorGrant = {
  readonly outTradeNo: OutTradeNo;
  readonly packageType: 'basic' | 'premium';
  readonly by: Actor;
  readonly note: string;
};

/** What an operator may still decide about a held order. */
export type HeldOrder = { readonly canGrant: boolean; readonly canRefund: boolean };
