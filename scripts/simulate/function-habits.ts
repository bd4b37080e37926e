import type { Post } from './order-book.ts';

/** What a client calls `wxpay_order` with; all of it is the client's word. */
export type OrderEvent = {
  readonly packageType?: string;
  readonly tradeType?: string;
  readonly userId?: string;
  readonly openid?: string;
  readonly generationId?: string;
  /** Fen. It is charged as it is. */
  readonly amount?: number | string;
};

export type Outage = 'db_unavailable' | 'db_insert_failed' | 'db_exception';
export const OUTAGES: readonly Outage[] = ['db_unavailable', 'db_insert_failed', 'db_exception'];

export type OrderHabits = {
  /** How the function's own database fails, if it does. */
  readonly outage?: Outage;
  /** The insert is committed all the same, and only its answer comes too late. */
  readonly commitsAnyway?: boolean;
  /** `later` leaves the call to `backUp`; `lost` is a call that never arrived. */
  readonly backup?: 'now' | 'later' | 'lost';
  /** WeChat Pay is asked for this, whatever the row says. */
  readonly chargedFen?: number;
  /** Its row says that it was made that long ago. */
  readonly madeSecondsAgo?: number;
};

/** What WeChat Pay is told about an order before anybody can pay it. */
export type Prepay = (order: {
  readonly outTradeNo: string;
  readonly totalFen: number;
  readonly tradeType: string;
  readonly openid: string | undefined;
}) => void;

export type PlacedOrder = {
  readonly outTradeNo: string;
  readonly amountFen: number;
  /** The body of `order-created`, as it is sent after an outage. */
  readonly backup: Post;
  /** The row as the function inserts it when it can. */
  readonly row: NewRow;
};

export type CallbackHabits = {
  /** The row cannot be written, but was read before. */
  readonly writeFails?: boolean;
  /** The order is looked for in vain, although it may be there a moment later. */
  readonly findsNothing?: boolean;
  /** The rescued row says 0.00. */
  readonly amountUnknown?: boolean;
  readonly withoutTransactionId?: boolean;
  /** The call is fire and forget, and this one is forgotten. */
  readonly notifyLost?: boolean;
};

export type NewRow = {
  readonly id: string;
  readonly userId: string | null;
  readonly generationId: string | null;
  readonly outTradeNo: string;
  readonly amountYuan: string;
  readonly packageType: string | null;
  readonly tradeType: string;
  readonly openid: string;
  readonly madeSecondsAgo: number | null;
};
