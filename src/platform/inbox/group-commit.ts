import { setTimeout as sleep } from 'node:timers/promises';

type Entry<Item> = { readonly item: Item; resolve: () => void; reject: (error: unknown) => void };

/**
 * Lets items that arrive while writes are under way share the next one: under load one commit serves many
 * callers. A lone caller waits for nobody, unless writes are told to gather.
 */
export class GroupCommit<Item> {
  private queue: Entry<Item>[] = [];
  private writing = 0;

  constructor(
    private readonly write: (items: Item[]) => Promise<void>,
    private readonly limits: {
      readonly batchMax: number;
      readonly waitingMax: number;
      /** With two, what arrives during a write need not wait for its end before its own begins. */
      readonly writesMax?: number;
      /** How long each write waits for more to share it, so that a lone caller waits as well; else one turn of the event loop. */
      readonly gatherMs?: () => number;
    },
  ) {}

  /** Resolves when the item's batch was written; rejects with the batch's error, or at once when too many wait. */
  add(item: Item): Promise<void> {
    if (this.queue.length >= this.limits.waitingMax)
      return Promise.reject(new Error('too many messages wait'));
    return new Promise((resolve, reject) => {
      this.queue.push({ item, resolve, reject });
      if (this.writing < (this.limits.writesMax ?? 1)) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.writing += 1;
    while (this.queue.length > 0) {
      await this.gather();
      const batch = this.queue.splice(0, this.limits.batchMax);
      if (batch.length === 0) break;
      try {
        await this.write(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.writing -= 1;
  }

  private async gather(): Promise<void> {
    const gatherMs = this.limits.gatherMs?.() ?? 0;
    if (gatherMs > 0) await sleep(gatherMs);
    // One turn of the event loop, so that requests read from the sockets together are written together.
    else await new Promise((resolve) => setImmediate(resolve));
  }
}
