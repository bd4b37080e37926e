import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonDepthExceeds, jsonRepeatsKey } from './json-shape.js';

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

describe('jsonRepeatsKey', () => {
  const repeats = (text: string) => jsonRepeatsKey(text, JSON.parse(text));

  it('finds a key that stands twice in one object, at any depth', () => {
    expect(repeats('{"a":1,"a":2}')).toBe(true);
    expect(repeats('{"a":[{"b":1,"b":1}]}')).toBe(true);
    expect(repeats('{"a":1,"\\u0061":2}')).toBe(true);
  });

  it('takes colons and quotes within strings for what they are', () => {
    expect(repeats('{"a:b":"c:\\"d\\":","e":[{"a":1},{"a":2}]}')).toBe(false);
    fc.assert(fc.property(fc.json(), (text) => !repeats(text)));
  });
});
