import { PRICED_PACKAGES } from './price-history.js';
import type { PricedPackage } from './price-history.js';

export const SCHEDULED_PACKAGES = PRICED_PACKAGES;

export type PriceState = 'scheduled' | 'in_force' | 'past' | 'cancelled';

/** One line of the price history as operators see it, with those that were withdrawn. */
export type PriceRecord = {
  readonly id: string;
  readonly packageType: PricedPackage;
  readonly amountFen: number;
  readonly effectiveAt: Date;
  readonly author: string;
  readonly note: string | null;
  readonly createdAt: Date;
  readonly cancelledAt: Date | null;
  readonly cancelledBy: string | null;
};

export type ScheduledPrice = PriceRecord & { readonly state: PriceState };

/** By beginning, then by id. */
export type PricePosition = { readonly effectiveAt: string; readonly id: string };
