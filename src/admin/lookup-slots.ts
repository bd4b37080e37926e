import { DomainError } from '../shared/domain-error.js';

/** Of the eight connections or more that the orders need, guessing tokens never holds more than these. */
const AT_ONCE_MAX = 3;
/** Milliseconds of waiting at most; people at screens do not make more requests than this at once. */
const WAITING_MAX = 200;

/** Keeps a flood of made-up tokens, each of which must be looked up, away from the connections that take orders. */
export class LookupSlots {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.running < AT_ONCE_MAX) this.running += 1;
    else await this.takeTurn();
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      // Whoever waited longest takes the slot over as it is.
      if (next) next();
      else this.running -= 1;
    }
  }

  private async takeTurn(): Promise<void> {
    if (this.waiting.length >= WAITING_MAX) {
      throw new DomainError('busy', 'unavailable', 'Too many requests at once: try again in a few seconds.');
    }
    await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
