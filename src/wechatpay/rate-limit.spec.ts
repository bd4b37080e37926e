import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { FailureRate, StartRate } from './rate-limit.js';

let nowMs: number;
const clock = { now: () => new Date(nowMs), nowMs: () => nowMs };

beforeEach(() => {
  nowMs = 1_000_000;
});

describe('StartRate', () => {
  it('starts as many as allowed at once, and gives the next one its time', () => {
    const rate = new StartRate(clock, { perSecond: 3, waitMsMax: 1000 });
    expect([1, 2, 3].map(() => rate.reserve(1000))).toEqual([0, 0, 0]);
    expect(rate.reserve(1000)).toBe(1000);
    nowMs += 400;
    expect(rate.reserve(1000)).toBe(600);
  });

  it('refuses what would wait too long, without taking its place', () => {
    const rate = new StartRate(clock, { perSecond: 1, waitMsMax: 1000 });
    expect(rate.reserve(1000)).toBe(0);
    expect(rate.reserve(999)).toBeNull();
    expect(rate.reserve(1000)).toBe(1000);
    expect(rate.reserve(1000)).toBeNull();
  });

  it('never starts more than allowed within any second', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (pausesMs, perSecond) => {
        const rate = new StartRate(clock, { perSecond, waitMsMax: 1000 });
        const startsMs: number[] = [];
        for (const pauseMs of pausesMs) {
          nowMs += pauseMs;
          const waitMs = rate.reserve(1000);
          if (waitMs !== null) startsMs.push(nowMs + waitMs);
        }
        for (const startMs of startsMs) {
          const together = startsMs.filter((otherMs) => otherMs >= startMs && otherMs < startMs + 1000);
          expect(together.length).toBeLessThanOrEqual(perSecond);
        }
      }),
    );
  });

  it('forgets the old times when the wall clock is set back', () => {
    const rate = new StartRate(clock, { perSecond: 1, waitMsMax: 1000 });
    expect(rate.reserve(1000)).toBe(0);
    nowMs -= 3_600_000;
    expect(rate.reserve(1000)).toBe(0);
    expect(rate.reserve(1000)).toBe(1000);
  });
});

describe('FailureRate', () => {
  it('admits any number of calls that succeed one after the other', () => {
    const rate = new FailureRate(clock, 2);
    for (let call = 0; call < 100; call++) {
      expect(rate.enter()).toBe(true);
      rate.leave(false);
    }
  });

  it('admits no more than may fail, those under way included, until a second has passed', () => {
    const rate = new FailureRate(clock, 2);
    expect(rate.enter()).toBe(true);
    expect(rate.enter()).toBe(true);
    expect(rate.enter()).toBe(false);
    rate.leave(true);
    rate.leave(true);
    nowMs += 999;
    expect(rate.enter()).toBe(false);
    nowMs += 1;
    expect(rate.enter()).toBe(true);
  });
});
