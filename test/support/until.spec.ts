import { describe, expect, it } from 'vitest';
import { DeadlineExceeded } from '../../src/shared/deadline.js';
import { until } from './until.ts';

const SHORT = { withinMs: 100, everyMs: 10 };

describe('until', () => {
  it('gives what the first attempt gives that does not throw', async () => {
    let attempts = 0;
    const third = () => {
      attempts += 1;
      if (attempts < 3) throw new Error('not yet');
      return attempts;
    };
    expect(await until(third, { withinMs: 4_000, everyMs: 1 })).toBe(3);
  });

  it('throws what the last attempt threw', async () => {
    await expect(until(() => Promise.reject(new Error('not yet')), SHORT)).rejects.toThrow('not yet');
  });

  // Prevents a test from passing, or from hanging, whose server answers long after its time.
  it('does not wait longer for an attempt that never ends', async () => {
    await expect(until(() => new Promise(() => undefined), SHORT)).rejects.toThrow(DeadlineExceeded);
  });
});
