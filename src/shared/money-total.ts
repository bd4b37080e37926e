const YUAN_PATTERN = /^(-?)(\d+)\.(\d\d)$/;

/**
 * A sum of amounts, which may exceed what one amount can be, and a difference of sums, which may be less than nothing:
 * a BigInt of fen, so that no addition is ever rounded.
 */
export class MoneyTotal {
  static readonly ZERO = new MoneyTotal(0n);

  private constructor(readonly fen: bigint) {}

  /** Reads whole fen, also as the text in which a driver gives a BIGINT or a SUM. */
  static ofFen(fen: bigint | number | string): MoneyTotal {
    return new MoneyTotal(BigInt(fen));
  }

  /** Reads yuan with two decimals, as a DECIMAL column or its SUM gives them. */
  static ofYuan(yuan: string): MoneyTotal {
    const match = YUAN_PATTERN.exec(yuan);
    if (!match) throw new RangeError('a sum in yuan must look like 29.90');
    const [, sign = '', whole = '', fraction = ''] = match;
    return new MoneyTotal(BigInt(`${sign}${whole}${fraction}`));
  }

  plus(other: MoneyTotal): MoneyTotal {
    return new MoneyTotal(this.fen + other.fen);
  }

  minus(other: MoneyTotal): MoneyTotal {
    return new MoneyTotal(this.fen - other.fen);
  }

  /** For example "29.90" or "-0.05". */
  toYuan(): string {
    const digits = String(this.fen < 0n ? -this.fen : this.fen).padStart(3, '0');
    return `${this.fen < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
  }
}
