import { describe, expect, it } from 'vitest';
import { daysWithBill } from './bill-days.js';

describe('daysWithBill', () => {
  it.each([
    ['2026-01-28T01:59:59Z', '2026-01-26'], // 09:59:59 in Beijing: yesterday's is not ready
    ['2026-01-28T02:00:00Z', '2026-01-27'],
    ['2026-01-28T15:59:59Z', '2026-01-27'],
    ['2026-01-28T16:00:00Z', '2026-01-27'], // a new day in Beijing
    ['2026-03-01T02:00:00Z', '2026-02-28'],
  ])('at %s begins with %s', (now, day) => {
    expect(daysWithBill(Date.parse(now), 1)).toEqual([day]);
  });

  it('goes back day by day', () => {
    expect(daysWithBill(Date.parse('2026-01-02T03:00:00Z'), 3)).toEqual([
      '2026-01-01',
      '2025-12-31',
      '2025-12-30',
    ]);
  });
});
