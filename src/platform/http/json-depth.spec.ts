import { describe, expect, it } from 'vitest';
import { jsonDepthExceeds } from './json-depth.js';

describe('jsonDepthExceeds', () => {
  it('counts nested containers', () => {
    expect(jsonDepthExceeds('text', 0)).toBe(false);
    expect(jsonDepthExceeds({ a: 1 }, 1)).toBe(false);
    expect(jsonDepthExceeds({ a: { b: [] } }, 3)).toBe(false);
    expect(jsonDepthExceeds({ a: { b: [] } }, 2)).toBe(true);
  });

  // A recursive walk overflows the stack here and would take the process down.
  it('survives any depth', () => {
    expect(jsonDepthExceeds(JSON.parse('['.repeat(8_000) + ']'.repeat(8_000)), 8)).toBe(true);
  });
});
