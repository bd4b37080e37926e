import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LaneGate } from './lane-gate.js';

const NEVER_MS = 10_000;

describe('LaneGate', () => {
  it('lets the next lane begin when the one at work opens, one after the other', async () => {
    const gate = new LaneGate(NEVER_MS);
    const begun: number[] = [];
    const lanes = [1, 2, 3].map(async (lane) => {
      const open = await gate.pass();
      begun.push(lane);
      return open;
    });
    (await lanes[0])?.();
    (await lanes[1])?.();
    expect(begun).toEqual([1, 2]);
    await lanes[2];
    expect(begun).toEqual([1, 2, 3]);
  });

  // A lane that waits for a lock must hold back no other.
  it('waits no longer for a lane that is held up', async () => {
    const gate = new LaneGate(20);
    await gate.pass();
    const second = await Promise.race([gate.pass(), sleep(NEVER_MS, null, { ref: false })]);
    expect(second).not.toBeNull();
  });
});
