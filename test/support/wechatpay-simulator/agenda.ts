type Item = { readonly dueMs: number; readonly run: (dueMs: number) => void };

/** What happens by itself when its time comes: orders that run out, refunds that arrive. */
export class Agenda {
  private readonly items: Item[] = [];

  /** @param run is told its own time, which is what counts when somebody looks only later */
  add(dueMs: number, run: (dueMs: number) => void): void {
    // Kept in order of time; of two at one time the first one added runs first.
    const at = this.items.findLastIndex((item) => item.dueMs <= dueMs) + 1;
    this.items.splice(at, 0, { dueMs, run });
  }

  nextDueMs(): number | null {
    return this.items[0]?.dueMs ?? null;
  }

  runDue(nowMs: number): void {
    for (let next = this.items[0]; next && next.dueMs <= nowMs; next = this.items[0]) {
      this.items.shift();
      next.run(next.dueMs);
    }
  }
}
