const BASE_36 = '0123456789abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const TWO_TO_32 = 2 ** 32;

/** Chance that a seed repeats (mulberry32). It decides what happens in a run; identities come from the clock as well. */
export class Random {
  private state: number;

  constructor(seed: number) {
    this.state = seed >>> 0;
  }

  /** A whole number from 0 up to, but not including, `limit`. */
  below(limit: number): number {
    return Math.floor((this.next() / TWO_TO_32) * limit);
  }

  chance(probability: number): boolean {
    return this.next() / TWO_TO_32 < probability;
  }

  pick<T>(from: readonly T[]): T {
    const picked = from[this.below(from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  }

  /** A stream of its own, so that what runs at once draws the same values in every run of a seed. */
  fork(): Random {
    return new Random(this.next());
  }

  digits(length: number): string {
    return this.text(DIGITS, length);
  }

  base36(length: number): string {
    return this.text(BASE_36, length);
  }

  private text(alphabet: string, length: number): string {
    return Array.from({ length }, () => alphabet.charAt(this.below(alphabet.length))).join('');
  }

  private next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
