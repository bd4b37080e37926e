import type { Money } from '../shared/money.js';

/** An order as operators see it. The openid of its payer is nobody's business. */
export type OrderOverview = {
  readonly id: string;
  readonly outTradeNo: string;
  readonly userId: string;
  readonly generationId: string;
  readonly transactionId: string | null;
  /** Null when the stored amount is none. */
  readonly amount: Money | null;
  readonly packageType: string;
  readonly tradeType: string | null;
  readonly status: string;
  readonly paidAt: Date | null;
  readonly createdAt: Date | null;
  readonly remark: string | null;
  readonly refundReason: string | null;
  /** The ledger has a grant for it; `revoked` when it was taken back. */
  readonly granted: boolean;
  readonly revoked: boolean;
  /** Why it is paid and not granted, while that waits for an operator. */
  readonly heldBecause: string | null;
  /** The exception by which it is held. A BIGINT and therefore text. */
  readonly heldAs: string | null;
  /** What is known for certain to have gone back, in fen. */
  readonly refundedFen: number;
};

export type OrderFilter = {
  readonly status?: string;
  readonly packageType?: string;
  readonly tradeType?: string;
  readonly userId?: string;
  readonly outTradeNo?: string;
  readonly transactionId?: string;
  /** Included; each `To` is not. */
  readonly createdFrom?: Date;
  readonly createdTo?: Date;
  readonly paidFrom?: Date;
  readonly paidTo?: Date;
  /** Both included. */
  readonly amountMin?: Money;
  readonly amountMax?: Money;
  /** Whether a `payment_held` exception about it is open. */
  readonly held?: boolean;
};

/** A place in a listing; `by` is the road it was read on, which the filter decides. */
export type OrderPosition = { readonly by: string; readonly at: string; readonly id: string };

/** What WeChat Pay said about an order. */
export type OrderAnswer = 'paid' | 'open' | 'closed' | 'not_found';

/** A line of `payment_logs`, without what was said in it. */
export type PaymentLogEntry = {
  readonly at: Date | null;
  readonly type: string;
  readonly eventType: string | null;
  readonly outRefundNo: string | null;
  readonly amountFen: number | null;
};

/** The question to WeChat Pay that is open about an order. */
export type OpenQuestion = {
  readonly createdAt: Date;
  readonly askedAt: Date | null;
  readonly asks: number;
  readonly unanswered: number;
  readonly lastAnswer: string | null;
  readonly dueAt: Date;
};

export type PaymentLogLine = {
  /** The same for every repetition of what it tells; at most 36 characters. */
  readonly id: string;
  readonly type: 'payment_callback' | 'refund_callback';
  readonly eventType: string;
  readonly outTradeNo: string;
  readonly outRefundNo: string | null;
  readonly amountFen: number;
  /** What was said, without the openid. */
  readonly request: Readonly<Record<string, string | null>>;
};
