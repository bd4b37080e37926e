import { describe, expect, it } from 'vitest';
import { shanghaiDay, startOfShanghaiDay } from './shanghai-time.js';

describe('days of Shanghai', () => {
  it('begin at 16:00 UTC', () => {
    expect(shanghaiDay(new Date('2026-01-26T15:59:59.999Z'))).toBe('2026-01-26');
    expect(shanghaiDay(new Date('2026-01-26T16:00:00.000Z'))).toBe('2026-01-27');
    expect(startOfShanghaiDay('2026-01-27')).toEqual(new Date('2026-01-26T16:00:00.000Z'));
  });

  it('are none when the calendar has none', () => {
    for (const day of ['2026-02-30', '2026-13-01', '2026-1-1', 'today', '', '2026-01-01T00:00']) {
      expect(startOfShanghaiDay(day)).toBeNull();
    }
  });

  // Prevents a 500: MySQL refuses the year 10000, in which the last day of 9999 ends.
  it('are none where a database has none', () => {
    for (const day of ['1969-12-31', '9999-01-01', '9999-12-31']) expect(startOfShanghaiDay(day)).toBeNull();
  });
});
