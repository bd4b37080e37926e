import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AMOUNT_FEN_MAX, Money } from './money.js';

describe('Money', () => {
  it('keeps every amount through yuan text and back', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: AMOUNT_FEN_MAX }), (fen) => {
        expect(Money.ofYuan(Money.ofFen(fen).toYuan()).fen).toBe(fen);
      }),
    );
  });

  // 4.35 * 100 is 434.99999999999994 in floating point: one fen would be lost on every such order.
  it('reads the amounts that floating point gets wrong', () => {
    expect(Money.ofYuan('4.35').fen).toBe(435);
    expect(Money.ofYuan('0.29').fen).toBe(29);
    expect(Money.ofYuan('99999999.99').fen).toBe(AMOUNT_FEN_MAX);
  });

  it('writes two decimals and a leading zero', () => {
    expect(Money.ofFen(1).toYuan()).toBe('0.01');
    expect(Money.ofFen(2990).toYuan()).toBe('29.90');
    expect(Money.ofFen(2990).toYuanNumber()).toBe(29.9);
  });

  it('refuses what is no amount', () => {
    for (const fen of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, AMOUNT_FEN_MAX + 1]) {
      expect(() => Money.ofFen(fen)).toThrow(RangeError);
    }
    for (const yuan of ['', '-1.00', '1.234', '1e3', ' 1', '123456789.00']) {
      expect(() => Money.ofYuan(yuan)).toThrow(RangeError);
      expect(Money.parseYuan(yuan)).toBeNull();
    }
  });
});
