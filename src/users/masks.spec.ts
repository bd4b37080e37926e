import { describe, expect, it } from 'vitest';
import { maskOpenid, maskPhone } from './masks.js';

// Prevents an openid or a phone number from leaving whole, also one of an odd length.
describe('masks', () => {
  it('show both ends of an openid', () => {
    expect(maskOpenid('oABC123456789012345678901x456')).toBe('oABC…x456');
    expect(maskOpenid('oABCDEFGx456')).toBe('oABC…x456');
  });

  it('show the first character only of one that is short', () => {
    expect(maskOpenid('oABCDEFx456')).toBe('o…');
    expect(maskOpenid('o')).toBe('o…');
  });

  it('hide four digits of a phone number', () => {
    expect(maskPhone('13812341234')).toBe('138****1234');
    expect(maskPhone('+8613812341234')).toBe('+86138****1234');
  });

  it('hide most of a short one', () => {
    expect(maskPhone('+1234567')).toBe('****67');
    expect(maskPhone('1')).toBe('****1');
  });
});
