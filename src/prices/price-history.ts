import { Money } from '../shared/money.js';

export type PricedPackage = 'basic' | 'premium';

export const PRICED_PACKAGES: readonly PricedPackage[] = ['basic', 'premium'];

/** One line of the price history: the price from `effectiveAt` until a later line of its package. */
export type PricePoint = {
  readonly id: number;
  readonly packageType: PricedPackage;
  readonly amount: Money;
  readonly effectiveAt: Date;
  readonly createdAt: Date;
};

/** The price in force at an instant; of two lines with one beginning the one written last counts. */
export function priceInForce(
  history: readonly PricePoint[],
  packageType: PricedPackage,
  at: Date,
): PricePoint | null {
  let found: PricePoint | null = null;
  for (const point of history) {
    if (point.packageType !== packageType || point.effectiveAt > at) continue;
    if (!found || isLater(point, found)) found = point;
  }
  return found;
}

/** Every price that was in force at some moment from `from` to `to`, both included. */
export function pricesInForceBetween(
  history: readonly PricePoint[],
  packageType: PricedPackage,
  window: { readonly from: Date; readonly to: Date },
): Money[] {
  const moments = history
    .filter(({ effectiveAt }) => effectiveAt > window.from && effectiveAt <= window.to)
    .map(({ effectiveAt }) => effectiveAt);
  const prices = [window.from, ...moments].map((at) => priceInForce(history, packageType, at)?.amount);
  return prices.filter((price) => price !== undefined);
}

function isLater(a: PricePoint, b: PricePoint): boolean {
  const differenceMs = a.effectiveAt.getTime() - b.effectiveAt.getTime();
  return differenceMs > 0 || (differenceMs === 0 && a.id > b.id);
}
