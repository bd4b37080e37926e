import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Money } from '../shared/money.js';
import { readForeignAmounts } from './refund-amounts.js';

const order = Money.ofYuan('29.90');
const read = (refundYuan: string, totalYuan: string, amount = order) =>
  readForeignAmounts({ refundYuan, totalYuan }, amount)?.refund.fen ?? null;

describe('readForeignAmounts', () => {
  it('takes yuan where the total is the order’s', () => {
    expect(read('10.00', '29.90')).toBe(1000);
  });

  // The deployed function writes fen into the yuan columns: 2990.00 would be a hundred times the money.
  it('takes fen where the total is the order’s in fen', () => {
    expect(read('1000.00', '2990.00')).toBe(1000);
    expect(read('1.00', '1.00', Money.ofFen(1))).toBe(1);
  });

  it.each([
    ['the total is another order’s', '10.00', '30.00'],
    ['more than the order would go back', '30.00', '29.90'],
    ['nothing would go back', '0.00', '29.90'],
    ['a part of a fen would go back', '1000.50', '2990.00'],
    ['it is no amount', 'x', '29.90'],
  ])('says nothing when %s', (_name, refundYuan, totalYuan) => {
    expect(read(refundYuan, totalYuan)).toBeNull();
  });

  it('reads both units of the same refund alike, for every amount', () => {
    const orderFen = fc.integer({ min: 1, max: 99_999_999 });
    fc.assert(
      fc.property(orderFen, fc.double({ min: 0, max: 1, noNaN: true }), (totalFen, share) => {
        const refund = Money.ofFen(Math.max(1, Math.round(totalFen * share)));
        const total = Money.ofFen(totalFen);
        const asYuan = read(refund.toYuan(), total.toYuan(), total);
        expect(asYuan).toBe(refund.fen);
        expect(read(`${refund.fen}.00`, `${total.fen}.00`, total)).toBe(refund.fen);
      }),
    );
  });
});
