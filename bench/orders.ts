/**
 * The orders of a benchmark, each a function of its number: what is in the tables and what is posted about it are
 * the same for every contender.
 */
export type BenchOrder = {
  readonly id: string;
  readonly outTradeNo: string;
  readonly userId: string;
  readonly openid: string;
  readonly generationId: string;
  readonly amountFen: number;
  readonly amountYuan: string;
  readonly packageType: 'basic' | 'premium';
};

/** Merchant numbers begin with the caller's clock, so they grow: indexes are filled at their end, as in production. */
const FIRST_ORDER_MS = 1_790_000_000_000;
/** Any number without a common factor with 100,000 makes the last five digits jump about. */
const SCATTER = 61_803;

export function orderAt(index: number): BenchOrder {
  const ms = FIRST_ORDER_MS + index;
  const scattered = String((index * SCATTER) % 100_000).padStart(5, '0');
  const isPremium = index % 2 === 1;
  return {
    id: `order-${ms}-b${scattered}`,
    outTradeNo: `${ms}${scattered}`,
    userId: `user-${ms}-b${scattered}`,
    openid: `oBench${String(index).padStart(22, '0')}`,
    generationId: `gen-${ms}-b${scattered}`,
    amountFen: isPremium ? 2990 : 1,
    amountYuan: isPremium ? '29.90' : '0.01',
    packageType: isPremium ? 'premium' : 'basic',
  };
}

/** The body of `notify`, as in the contract. */
export function notifyBody(index: number): string {
  const { outTradeNo, packageType, generationId, openid } = orderAt(index);
  return JSON.stringify({
    outTradeNo,
    transactionId: `42000${String(index).padStart(23, '0')}`,
    status: 'paid',
    packageType,
    generationId,
    openid,
  });
}

/** The body of `order-created`, as in the contract. */
export function orderCreatedBody(index: number): string {
  const { id, outTradeNo, userId, openid, amountFen, packageType } = orderAt(index);
  return JSON.stringify({
    orderId: id,
    outTradeNo,
    userId,
    openid,
    amount: amountFen,
    packageType,
    tradeType: 'JSAPI',
    status: 'pending',
    reason: 'db_unavailable',
    dbError: 'Connection timeout',
  });
}
