import { describe, expect, it } from 'vitest';
import { EdgeActivity } from './edge-activity.js';

describe('EdgeActivity', () => {
  it('lets nothing rest while nobody is served', () => {
    const edge = new EdgeActivity();
    expect(edge.restAfter({ workedMs: 100, waitedMs: 0, isMore: true })).toBe(0);
    expect(edge.goesFirst(0)).toBe(false);
  });

  // A fixed share would be a limit for the whole shop: what it takes in beyond it would never be granted.
  it('lets work rest the less the longer it has waited', () => {
    const edge = new EdgeActivity();
    edge.note();
    const rests = [0, 10_000, 19_999].map((waitedMs) =>
      Math.round(edge.restAfter({ workedMs: 100, waitedMs, isMore: true })),
    );
    expect(rests).toEqual([400, 300, 0]);
    expect(edge.goesFirst(19_999)).toBe(true);
    expect(edge.goesFirst(20_000)).toBe(false);
    expect(edge.restAfter({ workedMs: 100, waitedMs: 20_000, isMore: true })).toBe(0);
  });

  it('lets a few messages come together where no more wait', () => {
    const edge = new EdgeActivity();
    edge.note();
    expect(edge.restAfter({ workedMs: 1, waitedMs: 0, isMore: false })).toBeGreaterThan(100);
    expect(edge.restAfter({ workedMs: 5_000, waitedMs: 0, isMore: true })).toBeLessThan(1_000);
  });
});
