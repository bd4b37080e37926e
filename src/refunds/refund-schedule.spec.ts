import { describe, expect, it } from 'vitest';
import { pauseAfterUnknownMs, pauseWhileProcessingMs } from './refund-schedule.js';

describe('the schedule of a refund', () => {
  it('asks about an accepted refund each minute for five minutes, then less and less, and never stops', () => {
    const minutes = Array.from({ length: 11 }, (_, asks) => pauseWhileProcessingMs(asks) / 60_000);
    expect(minutes).toEqual([1, 1, 1, 1, 1, 5, 10, 20, 30, 60, 60]);
  });

  // An unknown refund is settled within a minute of WeChat Pay's return only if nobody waits longer than that.
  it('waits longer after each silence, and half a minute at most', () => {
    expect([0, 1, 2, 3, 4, 50].map(pauseAfterUnknownMs)).toEqual([
      2_000, 4_000, 8_000, 16_000, 30_000, 30_000,
    ]);
  });
});
