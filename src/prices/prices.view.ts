import type { CurrentPrices } from './prices.service.js';

export type CurrentPricesView = {
  readonly success: true;
  readonly data: {
    /** Yuan, as JSON numbers. */
    readonly packages: { readonly basic: number; readonly premium: number };
    readonly effectiveAt: string;
    readonly updatedAt: string;
  };
};

export function toCurrentPricesView(prices: CurrentPrices): CurrentPricesView {
  return {
    success: true,
    data: {
      packages: { basic: prices.basic.toYuanNumber(), premium: prices.premium.toYuanNumber() },
      effectiveAt: toSeconds(prices.effectiveAt),
      updatedAt: toSeconds(prices.updatedAt),
    },
  };
}

/** The contract writes times without a fraction when there is none. */
function toSeconds(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z');
}
