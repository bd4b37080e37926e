import type { SchemaObject } from '@nestjs/swagger';
import type { CurrentPrices } from './prices.service.js';

/** Of CurrentPricesView. */
export const CURRENT_PRICES_SCHEMA: SchemaObject = {
  type: 'object',
  required: ['success', 'data'],
  properties: {
    success: { type: 'boolean', enum: [true] },
    data: {
      type: 'object',
      required: ['packages', 'effectiveAt', 'updatedAt'],
      properties: {
        packages: {
          type: 'object',
          description: 'Yuan, as JSON numbers.',
          required: ['basic', 'premium'],
          properties: {
            basic: { type: 'number', example: 0.01 },
            premium: { type: 'number', example: 29.9 },
          },
        },
        effectiveAt: { type: 'string', format: 'date-time', example: '2026-01-27T00:00:00Z' },
        updatedAt: { type: 'string', format: 'date-time', example: '2026-01-26T10:30:00Z' },
      },
    },
  },
};

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
