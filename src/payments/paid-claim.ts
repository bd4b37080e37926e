import type { PaidClaim, ProvenPayment } from './payments.types.js';

/** What WeChat Pay itself says of a payment: a claim with evidence. */
export function provenClaim(payment: ProvenPayment, about: Pick<PaidClaim, 'source' | 'seenAt'>): PaidClaim {
  const { outTradeNo, transactionId, amount, paidAt, openid, tradeType, tradeState } = payment;
  const refunded = tradeState === 'REFUND';
  const evidence = { transactionId, amount, paidAt, openid, tradeType, refunded };
  return { ...about, outTradeNo, transactionId, openid, generationId: null, evidence };
}
