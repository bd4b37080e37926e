import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DELIVERY_LIFE_MS, pauseUntilNextTryMs } from './delivery-schedule.js';

const HOUR_MS = 3_600_000;

describe('pauseUntilNextTryMs', () => {
  it('doubles from five seconds up to an hour', () => {
    const pauses = [0, 1, 2, 9, 10, 4_000_000_000].map((attempts) =>
      pauseUntilNextTryMs({ attempts, ageMs: 0 }, 0),
    );
    expect(pauses).toEqual([5_000, 10_000, 20_000, 2_560_000, HOUR_MS, HOUR_MS]);
  });

  // Notices that failed in one outage would otherwise meet the receiver all at once, again and again.
  it('takes up to half of the pause off by chance', () => {
    const pauses = [0, 0.5, 0.999].map((random) => pauseUntilNextTryMs({ attempts: 3, ageMs: 0 }, random));
    expect(pauses).toEqual([40_000, 30_000, 20_020]);
  });

  it('waits at least as long as the receiver asked for', () => {
    expect(pauseUntilNextTryMs({ attempts: 0, ageMs: 0, pauseMs: 6 * HOUR_MS }, 0.7)).toBe(6 * HOUR_MS);
  });

  it('tries for the last time when 24 hours are over, and gives up after that', () => {
    const nearlyOver = { attempts: 30, ageMs: DELIVERY_LIFE_MS - 1_234 };
    expect(pauseUntilNextTryMs(nearlyOver, 0)).toBe(1_234);
    expect(pauseUntilNextTryMs({ ...nearlyOver, pauseMs: HOUR_MS }, 0)).toBe(1_234);
    expect(pauseUntilNextTryMs({ attempts: 0, ageMs: DELIVERY_LIFE_MS }, 0)).toBeNull();
  });

  it('ends, whatever the receiver and chance do, after a bounded number of tries', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.999, noNaN: true }), (random) => {
        let ageMs = 0;
        let attempts = 0;
        for (; attempts < 100; attempts += 1) {
          const pauseMs = pauseUntilNextTryMs({ attempts, ageMs }, random);
          if (pauseMs === null) break;
          ageMs += pauseMs;
        }
        expect(attempts).toBeLessThan(70);
        expect(ageMs).toBe(DELIVERY_LIFE_MS);
      }),
    );
  });
});
