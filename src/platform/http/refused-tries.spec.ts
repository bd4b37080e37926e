import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { AppLogger } from '../logging/app-logger.js';
import type { DomainError } from '../../shared/domain-error.js';
import { networkOf, RefusedTries, TRIES_MAX, TRIES_PER_SOURCE_MAX, WINDOW_MS } from './refused-tries.js';
import type { Credential } from './refused-tries.js';

const MANY_SOURCES = 5_000;

let lines: unknown[][];
let refused: RefusedTries;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  refused = new RefusedTries({ warned: (...line: unknown[]) => lines.push(line) } as unknown as AppLogger);
});

afterEach(() => {
  refused.onModuleDestroy();
  vi.useRealTimers();
});

/** How many seconds to wait, or null while there is a budget. */
function waitAfter(source: string, credential: Credential = 'token'): number | null {
  try {
    refused.note(source, credential);
    return null;
  } catch (error) {
    expect(error).toMatchObject({ code: 'too_many_requests', kind: 'throttled' });
    return (error as DomainError).retryAfterSeconds ?? 0;
  }
}

const tryTimes = (count: number, source: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => waitAfter(source(n)));

describe('tries without a valid token', () => {
  it('have a budget for each source and minute, and say when it is filled again', () => {
    expect(tryTimes(TRIES_PER_SOURCE_MAX.token, () => '192.0.2.1')).toEqual(
      Array(TRIES_PER_SOURCE_MAX.token).fill(null),
    );
    expect(waitAfter('192.0.2.1')).toBe(WINDOW_MS / 1_000);
    expect(waitAfter('192.0.2.2')).toBeNull();
    vi.advanceTimersByTime(WINDOW_MS - 500);
    expect(waitAfter('192.0.2.1')).toBe(1);
    vi.advanceTimersByTime(500);
    expect(waitAfter('192.0.2.1')).toBeNull();
  });

  it('have a budget over all sources, so that many addresses do not help', () => {
    const waits = tryTimes(TRIES_MAX + 1, (n) => `198.51.${n >> 8}.${n & 255}`);
    expect(waits.filter((wait) => wait !== null)).toHaveLength(1);
  });

  it('with a wrong secret have a budget of their own, and the log tells which were which', () => {
    tryTimes(TRIES_PER_SOURCE_MAX.token + 1, () => '192.0.2.1');
    const waits = Array.from({ length: TRIES_PER_SOURCE_MAX.secret + 1 }, () =>
      waitAfter('192.0.2.1', 'secret'),
    );
    expect(waits).toEqual([...Array(TRIES_PER_SOURCE_MAX.secret).fill(null), WINDOW_MS / 1_000]);
    vi.advanceTimersByTime(WINDOW_MS);
    const [, fields] = lines[0] ?? [];
    expect(fields).toMatchObject({ tokenTries: 21, secretTries: 101, throttled: 2, sources: 1 });
  });

  // Prevents a log of gigabytes, and the tried secrets of a mistyping operator in it.
  it('are one line in the log per window, with counts only', () => {
    tryTimes(30, () => '192.0.2.1');
    tryTimes(2, () => '192.0.2.2');
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(WINDOW_MS * 3);
    expect(lines).toEqual([
      [
        'http.access_refused',
        {
          tokenTries: 32,
          secretTries: 0,
          throttled: 10,
          sources: 2,
          busiestSource: '192.0.2.1',
          busiestTries: 30,
          windowSeconds: 60,
        },
      ],
    ]);
  });

  it('are told when the process stops in the middle of a window', () => {
    waitAfter('192.0.2.1');
    refused.onModuleDestroy();
    expect(lines).toHaveLength(1);
  });

  it('of any number of sources take a bounded memory', () => {
    tryTimes(MANY_SOURCES, (n) => `10.0.${n >> 8}.${n & 255}`);
    vi.advanceTimersByTime(WINDOW_MS);
    expect(lines).toEqual([[expect.any(String), expect.objectContaining({ sources: 1_000 })]]);
  });
});

describe('networkOf', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2:ffff::6', '2001:db8:1:2::/64'],
    ['2001:db8::6', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('takes %s for %s', (ip, network) => {
    expect(networkOf(ip)).toBe(network);
  });
});
