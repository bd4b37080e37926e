/** What the simulator needs of a clock; a test may hand in one that it shares with the code under test. */
export type ControllableClock = {
  nowMs(): number;
  advance(ms: number): void;
};

/** Real time that can be set forward, or a time that stands still until it is. */
export class SimulatorClock implements ControllableClock {
  private heldMs: number | null = null;
  private aheadMs = 0;

  static heldAt(ms: number): SimulatorClock {
    const clock = new SimulatorClock();
    clock.heldMs = ms;
    return clock;
  }

  nowMs(): number {
    return (this.heldMs ?? Date.now()) + this.aheadMs;
  }

  advance(ms: number): void {
    if (!(ms >= 0)) throw new Error(`a clock cannot go back (${ms} ms)`);
    this.aheadMs += ms;
  }
}
