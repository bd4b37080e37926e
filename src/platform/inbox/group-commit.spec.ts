import { describe, expect, it } from 'vitest';
import { GroupCommit } from './group-commit.js';

describe('GroupCommit', () => {
  it('writes what arrived during a write as one batch', async () => {
    const batches: number[][] = [];
    const commit = new GroupCommit<number>(
      async (items) => {
        batches.push(items);
        await new Promise((resolve) => setTimeout(resolve, 5));
      },
      { batchMax: 3, waitingMax: 100 },
    );
    await Promise.all([1, 2, 3, 4, 5].map((item) => commit.add(item)));
    expect(batches).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it('begins a second write beside the first, and no third', async () => {
    const writing = { now: 0, most: 0 };
    const commit = new GroupCommit<number>(
      async () => {
        writing.most = Math.max(writing.most, ++writing.now);
        await new Promise((resolve) => setTimeout(resolve, 5));
        writing.now -= 1;
      },
      { batchMax: 1, waitingMax: 100, writesMax: 2 },
    );
    await Promise.all([1, 2, 3, 4, 5].map((item) => commit.add(item)));
    expect(writing).toEqual({ now: 0, most: 2 });
  });

  it('lets the first of a batch wait for others for as long as it is told', async () => {
    const batches: number[][] = [];
    const commit = new GroupCommit<number>(
      (items) => {
        batches.push(items);
        return Promise.resolve();
      },
      { batchMax: 100, waitingMax: 100, gatherMs: () => 50 },
    );
    const first = commit.add(1);
    await new Promise((resolve) => setTimeout(resolve, 10));
    await Promise.all([first, commit.add(2)]);
    expect(batches).toEqual([[1, 2]]);
  });

  it('fails a batch together and goes on with the next', async () => {
    let writes = 0;
    const commit = new GroupCommit<number>(
      () => (++writes === 1 ? Promise.reject(new Error('disk')) : Promise.resolve()),
      { batchMax: 1, waitingMax: 100 },
    );
    const results = await Promise.allSettled([commit.add(1), commit.add(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });

  it('refuses at once when too many wait', async () => {
    const commit = new GroupCommit<number>(() => new Promise(() => undefined), {
      batchMax: 1,
      waitingMax: 1,
    });
    void commit.add(1);
    await expect(commit.add(2)).rejects.toThrow('too many');
  });
});
