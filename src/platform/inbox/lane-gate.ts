import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Lets the lanes of a job work one at a time while one is enough: each of several that share a trickle would pay a commit for
 * a handful of messages. A lane opens the gate when it has its hands full; one that is held up is waited for no longer.
 */
export class LaneGate {
  private opened: Promise<void> | null = null;

  /** @param heldUpMs after so long the lane at work counts as held up, by a lock for example */
  constructor(private readonly heldUpMs: number) {}

  /** Resolves when this lane may begin, with what opens the gate to the next one. */
  async pass(): Promise<() => void> {
    while (this.opened) {
      const atWork = this.opened;
      await Promise.race([atWork, sleep(this.heldUpMs, undefined, { ref: false })]);
      // Held up: one lane passes it by, and the others wait for that one.
      if (this.opened === atWork) break;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.opened = promise;
    return () => {
      if (this.opened === promise) this.opened = null;
      resolve();
    };
  }
}
