import { describe, expect, it } from 'vitest';
import { Money } from '../shared/money.js';
import { decidePackage } from './package-decision.js';
import type { PackageQuestion } from './package-decision.js';

const legitimate = { basic: [Money.ofFen(1)], premium: [Money.ofFen(2990), Money.ofFen(3990)] };
const decide = (question: Partial<PackageQuestion> & { fen: number }) =>
  decidePackage({
    packageType: 'premium',
    isRescued: false,
    legitimate,
    amount: Money.ofFen(question.fen),
    ...question,
  });

describe('decidePackage', () => {
  it('grants a package for any price it had', () => {
    for (const fen of [2990, 3990]) {
      expect(decide({ fen })).toEqual({ kind: 'grant', packageType: 'premium', repaired: false });
    }
  });

  // Clients may set the amount: premium for 0.01 is one request away.
  it('holds a package paid with an amount that was not its price', () => {
    expect(decide({ fen: 1 }).kind).toBe('hold');
    expect(decide({ fen: 2990, packageType: 'basic' }).kind).toBe('hold');
    expect(decide({ fen: 1, packageType: 'free' }).kind).toBe('hold');
    expect(decide({ fen: 0, isRescued: true }).kind).toBe('hold');
    expect(decide({ fen: 5, isRescued: true }).kind).toBe('hold');
    expect(decide({ fen: 1, amount: null }).kind).toBe('hold');
  });

  it('repairs the guessed package of a rescued row by what was paid', () => {
    expect(decide({ fen: 2990, packageType: 'basic', isRescued: true })).toEqual({
      kind: 'grant',
      packageType: 'premium',
      repaired: true,
    });
    expect(decide({ fen: 1, packageType: 'basic', isRescued: true })).toMatchObject({ packageType: 'basic' });
  });
});
