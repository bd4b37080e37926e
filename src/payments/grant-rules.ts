import type { OutboxNotice } from '../platform/outbox/outbox.service.js';
import { placeholderUserId, rescueOrderId } from '../shared/ids.js';
import type { Money } from '../shared/money.js';
import { realTransactionId } from './order-record.js';
import type { OrderRecord } from './order-record.js';
import type { PaidPackage } from './package-decision.js';
import type { PaidClaim } from './payments.types.js';
import { PREPAY_LIFE_MS } from './query-schedule.js';

/*
 * What a paid order gives, as far as it follows from the row and the claim alone. Orders that are settled one by one and
 * orders that are settled together go by the same rules.
 */

/** Callers cache prices for 5 minutes; twice that covers a slow prepay as well. */
export const PRICE_CACHE_MS = 10 * 60_000;
/** `created_at` has whole seconds: a price that began in the same second counts. */
const CREATED_AT_STEP_MS = 1_000;

/** What an order is to give, decided. */
export type Gift = {
  readonly userId: string;
  readonly packageType: PaidPackage;
  readonly transactionId: string | null;
  readonly generationId: string | null;
  /** What was paid, for the notice. */
  readonly amount: Money | null;
  readonly paidAt: Date;
  /** For the ledger: `system:<road>` or `admin:<name>`. */
  readonly grantedBy: string;
  /** For the exceptions that end with it. */
  readonly resolution: { readonly by: string; readonly words: string };
};

/** Written by a caller that could not find the order when the payment arrived: its package is a guess. */
export function isRescued(order: OrderRecord): boolean {
  return order.id === rescueOrderId(order.outTradeNo);
}

/** Nobody claimed the order when it was made: whoever paid is its user. */
export function isOwnerless(order: OrderRecord): boolean {
  return order.userId === placeholderUserId(order.outTradeNo);
}

/** The transaction that the claim, or else the row, says the order was paid by. */
export function claimedTransaction(order: OrderRecord, claim: PaidClaim): string | null {
  return claim.transactionId ?? realTransactionId(order);
}

/** When the prices were in force that the order may have been charged at. */
export function priceWindow(order: OrderRecord, claim: PaidClaim): { from: Date; to: Date } {
  const createdMs = (order.createdAt ?? claim.seenAt).getTime();
  // A rescued row is written when the payment arrives, up to the life of a prepay after the order was made.
  const earlierMs = PRICE_CACHE_MS + (isRescued(order) ? PREPAY_LIFE_MS : 0);
  return { from: new Date(createdMs - earlierMs), to: new Date(createdMs + CREATED_AT_STEP_MS) };
}

/** @param order the row as it was before this claim completed it */
export function giftOf(
  order: OrderRecord,
  claim: PaidClaim,
  given: { readonly userId: string; readonly packageType: PaidPackage },
): Gift {
  return {
    ...given,
    transactionId: claim.evidence?.transactionId ?? realTransactionId(order) ?? claim.transactionId,
    generationId: claim.generationId ?? order.generationId,
    // WeChat Pay's word where there is one.
    amount: claim.evidence?.amount ?? order.amount,
    paidAt: order.paidAt ?? claim.evidence?.paidAt ?? claim.seenAt,
    grantedBy: `system:${claim.source}`,
    resolution: { by: 'system:payments', words: `granted ${given.packageType}` },
  };
}

/** What is told to the outside about it. */
export function noticeOf({ outTradeNo, id: orderId }: OrderRecord, gift: Gift): OutboxNotice {
  const { userId, packageType } = gift;
  return {
    topic: 'payment_succeeded',
    key: `payment_succeeded:${outTradeNo}`,
    payload: {
      outTradeNo,
      orderId,
      userId,
      packageType,
      amountFen: gift.amount?.fen,
      paidAt: gift.paidAt.toISOString(),
    },
  };
}
