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

  // A server that is slow for one lane would get all of them at once.
  it('lets one lane pass by a lane that is held up, and the others wait for that one', async () => {
    const gate = new LaneGate(100);
    const open: (() => void)[] = [];
    const enter = async () => open.push(await gate.pass());
    await enter();
    const waiting = [enter(), enter(), enter()];
    await Promise.race(waiting);
    await sleep(20);
    expect(open).toHaveLength(2);
    open[1]?.();
    await sleep(20);
    expect(open).toHaveLength(3);
    open[2]?.();
    await Promise.all(waiting);
  });
});
