import { describe, expect, it } from 'vitest';
import { Money } from '../shared/money.js';
import { priceInForce, pricesInForceBetween } from './price-history.js';
import type { PricePoint } from './price-history.js';

const at = (time: string) => new Date(`2026-03-01T${time}Z`);
const point = (id: number, fen: number, time: string): PricePoint => ({
  id,
  packageType: 'premium',
  amount: Money.ofFen(fen),
  effectiveAt: at(time),
  createdAt: at('00:00:00'),
});
const HISTORY = [point(1, 2990, '00:00:00'), point(2, 3990, '12:00:00'), point(3, 1990, '12:05:00')];

describe('price history', () => {
  it('tells the price in force at any instant', () => {
    expect(priceInForce(HISTORY, 'premium', at('11:59:59'))?.amount.fen).toBe(2990);
    expect(priceInForce(HISTORY, 'premium', at('12:00:00'))?.amount.fen).toBe(3990);
    expect(priceInForce(HISTORY, 'premium', new Date('2026-02-01T00:00:00Z'))).toBeNull();
    expect(priceInForce(HISTORY, 'basic', at('12:00:00'))).toBeNull();
  });

  it('lets the line written last count when two begin together', () => {
    const corrected = [...HISTORY, point(4, 100, '12:00:00')];
    expect(priceInForce(corrected, 'premium', at('12:01:00'))?.amount.fen).toBe(100);
  });

  it('lists every price a caller may still have cached in a window', () => {
    const prices = (from: string, to: string) =>
      pricesInForceBetween(HISTORY, 'premium', { from: at(from), to: at(to) }).map(({ fen }) => fen);
    expect(prices('11:55:00', '12:04:59')).toEqual([2990, 3990]);
    expect(prices('11:55:00', '12:05:00')).toEqual([2990, 3990, 1990]);
    expect(prices('13:00:00', '13:10:00')).toEqual([1990]);
  });
});
