import { describe, expect, it } from 'vitest';
import { LookupSlots } from './lookup-slots.js';

const AT_ONCE = 3;
const WAITING = 200;

/** Work that is under way until it is told to end. */
function openEnded() {
  const running: (() => void)[] = [];
  return { running, work: () => new Promise<void>((resolve) => running.push(resolve)) };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe('look-ups of tokens', () => {
  // Prevents a flood of made-up tokens from taking the connections that orders need.
  it('run three at a time, the others in turn', async () => {
    const slots = new LookupSlots();
    const { running, work } = openEnded();
    const all = Array.from({ length: 10 }, () => slots.run(work));
    for (let ended = 0; ended < 10; ended += 1) {
      await settle();
      expect(running.length).toBe(Math.min(10, ended + AT_ONCE));
      running[ended]?.();
    }
    await Promise.all(all);
  });

  it('beyond two hundred that wait are refused as unavailable, and there is room again afterwards', async () => {
    const slots = new LookupSlots();
    const { running, work } = openEnded();
    const all = Array.from({ length: AT_ONCE + WAITING }, () => slots.run(work));
    await expect(slots.run(work)).rejects.toMatchObject({ code: 'busy', kind: 'unavailable' });
    for (let ended = 0; ended < all.length; ended += 1) {
      await settle();
      running[ended]?.();
    }
    await Promise.all(all);
    await expect(slots.run(async () => 'a row')).resolves.toBe('a row');
  });

  it('that fail give their place back', async () => {
    const slots = new LookupSlots();
    for (let tries = 0; tries < AT_ONCE + 1; tries += 1) {
      await expect(slots.run(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
    }
    await expect(slots.run(async () => 'a row')).resolves.toBe('a row');
  });
});
