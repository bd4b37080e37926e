import { describe, expect, it } from 'vitest';
import { maskName, maskPhone } from './masking.js';

describe('masking', () => {
  it('leaves enough to recognize and too little to use', () => {
    expect(maskPhone('13812345678')).toBe('138****5678');
    expect(maskPhone('+8613812345678')).toBe('+86*******5678');
    expect(maskPhone('1234567')).toBe('1**4567');
    expect(maskPhone('12345')).toBe('*****');
    expect(maskName('张小明')).toBe('张**');
    expect(maskName('王')).toBe('王*');
    expect(maskName('')).toBe('');
  });
});
