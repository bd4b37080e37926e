/** The largest amount a DECIMAL(10,2) column holds, in fen. */
export const AMOUNT_FEN_MAX = 9_999_999_999;

const YUAN_PATTERN = /^(\d{1,8})(?:\.(\d{1,2}))?$/;

/**
 * An amount of Chinese yuan, kept as a whole number of fen.
 * Conversions go through decimal strings, so no amount ever passes through floating-point arithmetic.
 */
export class Money {
  private constructor(readonly fen: number) {}

  /** @throws RangeError when `fen` is not a whole number from 0 to {@link AMOUNT_FEN_MAX} */
  static ofFen(fen: number): Money {
    if (!Number.isSafeInteger(fen) || fen < 0 || fen > AMOUNT_FEN_MAX) {
      throw new RangeError('an amount must be a whole number of fen between 0 and 99999999.99 yuan');
    }
    return new Money(fen);
  }

  /** Reads a decimal string in yuan such as "29.90", as a DECIMAL(10,2) column gives it. */
  static ofYuan(yuan: string): Money {
    const match = YUAN_PATTERN.exec(yuan);
    if (!match) throw new RangeError('an amount in yuan must look like 29.90');
    const [, whole = '0', fraction = ''] = match;
    return Money.ofFen(Number(whole) * 100 + Number(fraction.padEnd(2, '0')));
  }

  /** Like {@link ofYuan}, for stored values that nobody vouches for: null when it is no amount. */
  static parseYuan(yuan: string): Money | null {
    return YUAN_PATTERN.test(yuan) ? Money.ofYuan(yuan) : null;
  }

  /** The amount as a DECIMAL(10,2) literal, for example "29.90". */
  toYuan(): string {
    const digits = String(this.fen).padStart(3, '0');
    return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
  }

  /** The amount as the JSON number callers of the price API read; reading a decimal string is exact to the last digit shown. */
  toYuanNumber(): number {
    return Number(this.toYuan());
  }

  equals(other: Money): boolean {
    return this.fen === other.fen;
  }

  isZero(): boolean {
    return this.fen === 0;
  }
}
