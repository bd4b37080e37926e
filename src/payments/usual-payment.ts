import type { PaidUnlock } from '../generations/generations.service.js';
import type { LegitimatePrices } from '../prices/prices.service.js';
import { isId } from '../shared/ids.js';
import type { OrderSettlement } from '../users/entitlements.types.js';
import { giftOf, isOwnerless, isRescued, noticeOf, priceWindow } from './grant-rules.js';
import type { Gift } from './grant-rules.js';
import { realTransactionId } from './order-record.js';
import type { OrderRecord } from './order-record.js';
import { decidePackage } from './package-decision.js';
import { nextPaymentOrderState } from './payment-order.state.js';
import type { KnownPayment } from './payment-orders.repository.js';
import type { PaidClaim } from './payments.types.js';

/** What the tables say about an order whose row is locked. */
export type OrderFacts = {
  readonly order: OrderRecord;
  readonly settled: OrderSettlement | null;
  /** Money of it went back or may have, another order has its transaction, or something about it is, or was, before an operator. */
  readonly isOdd: boolean;
};

/** What a usual payment changes; what is null there is as it should be already. */
export type UsualPayment = {
  readonly claim: PaidClaim;
  readonly order: OrderRecord;
  readonly completion: KnownPayment | null;
  readonly gift: Gift | null;
  readonly unlock: PaidUnlock | null;
};

type Rules = {
  readonly legitimate: LegitimatePrices;
  /** True of a claim that WeChat Pay is asked about before it counts. */
  readonly isHearsay: (claim: PaidClaim) => boolean;
};

/**
 * What a payment changes that is like most payments, and null for every other one. The test is made to err to the careful
 * side: what it passes by is decided by `PaymentsService.recordPaid` alone, and what it lets through, that would decide alike.
 */
export function planUsual(claim: PaidClaim, facts: OrderFacts, rules: Rules): UsualPayment | null {
  const { order, settled } = facts;
  if (facts.isOdd || !isPlain(order, claim)) return null;
  if (nextPaymentOrderState(order.status, 'payment_proven') !== 'paid') return null;
  if (order.status !== 'paid' && (settled || !isFirstProof(order, claim, rules))) return null;
  if (settled) return settled.as === 'already_granted' ? completed(order, claim, settled) : null;
  const decision = decidePackage({
    packageType: order.packageType,
    amount: claim.evidence?.amount ?? order.amount,
    isRescued: false,
    legitimate: rules.legitimate(priceWindow(order, claim)),
  });
  if (decision.kind !== 'grant') return null;
  const { packageType } = decision;
  const gift = giftOf(order, claim, { userId: order.userId, packageType });
  return {
    claim,
    order,
    completion: completionOf(order, claim),
    gift,
    unlock: { ...gift, orderId: order.id },
  };
}

/** True of a claim that changes nothing yet: WeChat Pay is asked about a pending order, of which there is nothing else to say. */
export function isUsualQuestion(claim: PaidClaim, facts: OrderFacts, { isHearsay }: Rules): boolean {
  const { order, settled, isOdd } = facts;
  return !isOdd && !settled && order.status === 'pending' && isPlain(order, claim) && isHearsay(claim);
}

/** The row and the claim speak of the same payment, and leave nothing to be found out. */
function isPlain(order: OrderRecord, { outTradeNo, transactionId, evidence }: PaidClaim): boolean {
  if (order.outTradeNo !== outTradeNo || isRescued(order) || isOwnerless(order)) return false;
  if (!isId(order.userId)) return false;
  // Very old rows have the merchant number in place of the transaction.
  if (order.transactionId !== realTransactionId(order)) return false;
  if (order.transactionId && transactionId && order.transactionId !== transactionId) return false;
  return !evidence || (!evidence.refunded && order.amount?.equals(evidence.amount) === true);
}

/** A pending order becomes paid by a claim that says how. One that had failed leaves a trace of its own when it is reopened. */
function isFirstProof(order: OrderRecord, claim: PaidClaim, { isHearsay }: Rules): boolean {
  return order.status === 'pending' && claim.transactionId !== null && !isHearsay(claim);
}

/** Granted before: what this claim alone knows still takes effect. */
function completed(order: OrderRecord, claim: PaidClaim, { grant }: OrderSettlement): UsualPayment {
  const { generationId } = claim;
  const packageType = grant?.packageType;
  const unlock =
    grant && (packageType === 'basic' || packageType === 'premium')
      ? { generationId, userId: grant.userId, packageType, orderId: order.id }
      : null;
  return { claim, order, completion: completionOf(order, claim), gift: null, unlock };
}

function completionOf(order: OrderRecord, claim: PaidClaim): KnownPayment | null {
  const toldAt = claim.evidence?.paidAt ?? (order.status === 'paid' ? null : claim.seenAt);
  const transactionId = order.transactionId ? null : claim.transactionId;
  const paidAt = order.paidAt ? null : toldAt;
  const knowsAll = order.status === 'paid' && !transactionId && !paidAt;
  return knowsAll ? null : { id: order.id, transactionId, paidAt };
}

export const noticesOf = (payments: readonly UsualPayment[]) =>
  payments.flatMap(({ order, gift }) => (gift ? [noticeOf(order, gift)] : []));
