import type { OutTradeNo } from '../shared/ids.js';
import type { Money } from '../shared/money.js';

/** Somebody says an order was paid. */
export type PaidClaim = {
  readonly outTradeNo: OutTradeNo;
  /** Which road the claim came by; kept in the ledger and the audit log. */
  readonly source: 'notify' | 'sweep' | 'order-created';
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
  | 'unproven';

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
