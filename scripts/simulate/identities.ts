import type { Random } from '../../test/support/random.ts';

/**
 * Ids in the shapes that the deployed functions and WeChat Pay give them. The clock is in all of them, so that runs
 * of one seed share a database without meeting each other's rows.
 */
export class Identities {
  private readonly random: Random;
  private readonly stamp = Date.now().toString(36);
  private readonly taken = new Set<string>();

  constructor(random: Random) {
    this.random = random;
  }

  /** Milliseconds and five random digits: two of one millisecond can be equal in production, and never here. */
  outTradeNo(): string {
    return this.unused(() => `${Date.now()}${this.random.digits(5)}`);
  }

  orderId(): string {
    return this.unused(() => `order-${Date.now()}-${this.random.base36(9)}`);
  }

  userId(): string {
    return this.unused(() => `user-${Date.now()}-${this.random.base36(9)}`);
  }

  generationId(): string {
    return this.unused(() => `gen-${Date.now()}-${this.random.base36(6)}`);
  }

  refundId(): string {
    return this.unused(() => `refund-${Date.now()}-${this.random.base36(9)}`);
  }

  transactionId(): string {
    return this.unused(() => `4200${Date.now()}${this.random.digits(11)}`);
  }

  /** 28 characters as WeChat gives them; all letters are lower case, so that none differ by case by chance. */
  openid(): string {
    return this.unused(() => `o${this.stamp}${this.random.base36(28)}`.slice(0, 28));
  }

  private unused(make: () => string): string {
    let made = make();
    while (this.taken.has(made)) made = make();
    this.taken.add(made);
    return made;
  }
}
