import { describe, expect, it } from 'vitest';
import { fasterOf, paceOf } from './drain-pace.js';

const secondsFor = (depth: number) => {
  const { batch, everyMs } = paceOf(depth);
  return (Math.ceil(depth / batch) * everyMs) / 1_000;
};

describe('paceOf', () => {
  it.each([
    [1, 0.2],
    [600, 1.3],
    [10_000, 17.1],
    [100_000, 17.1],
    [1_000_000, 17.1],
  ])('empties %i messages within %d s, as far as the server keeps up', (depth, seconds) => {
    expect(secondsFor(depth)).toBeLessThanOrEqual(seconds);
  });

  it.each([0, 1, 600, 10_000, 1_000_000])('moves some and never too many of %i at once', (depth) => {
    const { batch } = paceOf(depth);
    expect(batch).toBeGreaterThanOrEqual(1);
    expect(batch).toBeLessThanOrEqual(200);
  });

  it('leaves most of the time to others where there is little to move', () => {
    expect(paceOf(5_000)).toEqual({ batch: 50, everyMs: 100 });
  });
});

describe('fasterOf', () => {
  it('keeps the pace when little is left, and follows a spool that fills on', () => {
    expect(fasterOf(paceOf(10_000), paceOf(100))).toEqual(paceOf(10_000));
    expect(fasterOf(paceOf(10_000), paceOf(30_000))).toEqual(paceOf(30_000));
  });
});
