import { describe, expect, it } from 'vitest';
import { pauseAfterUnknownMs, pauseUntilFirstAskMs, pauseUntilNextAskMs } from './query-schedule.js';

const MINUTE_MS = 60_000;
const deadlineMs = 120 * MINUTE_MS;

describe('query schedule', () => {
  it('asks within a minute, then at growing ages, and at the deadline', () => {
    const ages = [0];
    for (let ageMs = 0; ageMs < deadlineMs;) {
      ageMs += pauseUntilNextAskMs({ ageMs, deadlineMs });
      ages.push(ageMs);
    }
    expect(ages.map((ageMs) => ageMs / MINUTE_MS)).toEqual([0, 0.75, 5, 10, 30, 60, 120]);
  });

  // After an outage orders are found late: the next age of the schedule would leave a payment unseen for minutes more.
  it('asks for the first time 45 s after the order was made, and at once about one that is found later', () => {
    expect([0, 44_000, 45_000, 46_000, 3_600_000].map(pauseUntilFirstAskMs)).toEqual([
      45_000, 1_000, 0, 0, 0,
    ]);
  });

  it('never asks later than the deadline, nor without a pause after it', () => {
    expect(pauseUntilNextAskMs({ ageMs: 0, deadlineMs: 10_000 })).toBe(10_000);
    expect(pauseUntilNextAskMs({ ageMs: deadlineMs + 1, deadlineMs })).toBe(1_000);
  });

  it('waits longer each time nobody answers, up to ten minutes', () => {
    expect([0, 1, 2, 20].map(pauseAfterUnknownMs)).toEqual([15_000, 30_000, 60_000, 600_000]);
  });
});
