import { beforeEach, describe, expect, it } from 'vitest';
import { CircuitBreaker } from './circuit-breaker.js';
import type { BreakerState } from './circuit-breaker.js';

describe('CircuitBreaker', () => {
  let nowMs: number;
  let seen: BreakerState[];
  let breaker: CircuitBreaker;

  beforeEach(() => {
    nowMs = 1_000_000;
    seen = [];
    const clock = { now: () => new Date(nowMs), nowMs: () => nowMs };
    breaker = new CircuitBreaker(clock, { failuresMax: 3, openMs: 10_000 }, (state) => seen.push(state));
  });

  function fail(times: number): void {
    for (let time = 0; time < times; time++) {
      expect(breaker.admits()).toBe(true);
      breaker.failed();
    }
  }

  it('opens after so many failures in a row, and not before', () => {
    fail(2);
    breaker.succeeded();
    fail(2);
    expect(breaker.state).toBe('closed');
    fail(1);
    expect(breaker.state).toBe('open');
    expect(breaker.admits()).toBe(false);
    expect(breaker.remainingMs()).toBe(10_000);
  });

  it('lets one probe through after its pause, and closes when that succeeds', () => {
    fail(3);
    nowMs += 9_999;
    expect(breaker.admits()).toBe(false);
    nowMs += 1;
    expect(breaker.admits()).toBe(true);
    expect(breaker.admits()).toBe(false);
    breaker.succeeded();
    expect(breaker.admits()).toBe(true);
    expect(seen).toEqual(['open', 'half_open', 'closed']);
  });

  it('opens again for the whole pause when the probe fails', () => {
    fail(3);
    nowMs += 10_000;
    expect(breaker.admits()).toBe(true);
    breaker.failed();
    nowMs += 9_999;
    expect(breaker.admits()).toBe(false);
    nowMs += 1;
    expect(breaker.admits()).toBe(true);
  });

  it('closes when a call that began before it opened succeeds after all', () => {
    fail(3);
    breaker.succeeded();
    expect(breaker.admits()).toBe(true);
    fail(2);
    expect(breaker.state).toBe('closed');
  });

  it('does not stay open for hours when the wall clock is set back', () => {
    fail(3);
    nowMs -= 3_600_000;
    expect(breaker.admits()).toBe(true);
  });
});
