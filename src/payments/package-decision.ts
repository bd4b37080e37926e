import type { Money } from '../shared/money.js';

export type PaidPackage = 'basic' | 'premium';

export type PackageDecision =
  | { readonly kind: 'grant'; readonly packageType: PaidPackage; readonly repaired: boolean }
  | { readonly kind: 'hold'; readonly reason: string };

export type PackageQuestion = {
  readonly packageType: string;
  /** Null when the stored amount is no amount. */
  readonly amount: Money | null;
  /** The row was written by a caller that could not find the order: its package is a guess, its amount is not. */
  readonly isRescued: boolean;
  readonly legitimate: Readonly<Record<PaidPackage, readonly Money[]>>;
};

/**
 * Which package the money buys. Clients can choose the amount, so an amount that is no legitimate price of
 * the package is money without entitlement: held for an operator, never granted by itself.
 */
export function decidePackage({
  packageType,
  amount,
  isRescued,
  legitimate,
}: PackageQuestion): PackageDecision {
  if (!amount) return { kind: 'hold', reason: 'The stored amount is not an amount of money.' };
  const buys = (candidate: PaidPackage) => legitimate[candidate].some((price) => price.equals(amount));
  if ((packageType === 'basic' || packageType === 'premium') && buys(packageType)) {
    return { kind: 'grant', packageType, repaired: false };
  }
  if (isRescued) {
    const bought = (['premium', 'basic'] as const).filter(buys);
    if (bought.length === 1 && bought[0]) return { kind: 'grant', packageType: bought[0], repaired: true };
  }
  return { kind: 'hold', reason: holdReason(packageType, amount, isRescued) };
}

function holdReason(packageType: string, amount: Money, isRescued: boolean): string {
  if (amount.isZero()) return 'The order does not say what was paid (amount 0.00).';
  if (isRescued)
    return `${amount.toYuan()} yuan was paid, which was the price of no package when the order was made.`;
  return `${amount.toYuan()} yuan was paid for the package "${packageType}", which was not its price when the order was made.`;
}
