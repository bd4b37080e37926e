import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MoneyTotal } from './money-total.js';

describe('MoneyTotal', () => {
  it('reads and writes any sum to the fen', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), (fen) => {
        const total = MoneyTotal.ofFen(fen);
        expect(MoneyTotal.ofYuan(total.toYuan()).fen).toBe(fen);
      }),
    );
    expect(MoneyTotal.ofFen('-5').toYuan()).toBe('-0.05');
    expect(MoneyTotal.ofYuan('99999999.99').plus(MoneyTotal.ofFen(1)).toYuan()).toBe('100000000.00');
    expect(MoneyTotal.ZERO.minus(MoneyTotal.ofFen(2990)).toYuan()).toBe('-29.90');
  });

  // Prevents a sum of millions of orders from losing fen beyond 2^53.
  it('adds beyond the safe integers', () => {
    const most = MoneyTotal.ofFen(9_999_999_999);
    let total = MoneyTotal.ZERO;
    for (let count = 0; count < 2_000_000; count += 1) total = total.plus(most);
    expect(total.fen).toBe(19_999_999_998_000_000n);
  });

  it('refuses what is not yuan with two decimals', () => {
    for (const text of ['', '1', '1.5', '1e3', 'NaN', '1.005', '--1.00']) {
      expect(() => MoneyTotal.ofYuan(text)).toThrow(RangeError);
    }
  });
});
