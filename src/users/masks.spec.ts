import { describe, expect, it } from 'vitest';
import { maskOpenid } from './masks.js';

// Prevents an openid from leaving whole, also one of an odd length.
describe('the mask of an openid', () => {
  it('shows both ends', () => {
    expect(maskOpenid('oABC123456789012345678901x456')).toBe('oABC…x456');
    expect(maskOpenid('oABCDEFGx456')).toBe('oABC…x456');
  });

  it('shows the first character only of one that is short', () => {
    expect(maskOpenid('oABCDEFx456')).toBe('o…');
    expect(maskOpenid('o')).toBe('o…');
  });
});
