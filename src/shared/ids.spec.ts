import { describe, expect, it } from 'vitest';
import {
  isId,
  isOutTradeNo,
  placeholderUserId,
  rescueOrderId,
  stableOrderId,
  userIdForOpenid,
} from './ids.js';
import type { OutTradeNo } from './ids.js';

const NUMBER = '170634567890112345' as OutTradeNo;

describe('ids', () => {
  it('accepts merchant numbers as text only', () => {
    expect(isOutTradeNo(NUMBER)).toBe(true);
    for (const value of ['', 1706345678, null, 'a b', 'x'.repeat(65), '../x', "1' OR 1", {}, ['1']]) {
      expect(isOutTradeNo(value)).toBe(false);
    }
  });

  it('derives the same ids on every repeat, each within the column', () => {
    for (const make of [stableOrderId, placeholderUserId, rescueOrderId]) {
      expect(make(NUMBER)).toBe(make(NUMBER));
      expect(make(NUMBER).length).toBeLessThanOrEqual(36);
      expect(isId(make(NUMBER))).toBe(true);
    }
    expect(stableOrderId(NUMBER)).toMatch(/^order-1706345678901-[0-9a-z]{12}$/);
    expect(stableOrderId('no-clock' as OutTradeNo)).toMatch(/^order-0{13}-[0-9a-z]{12}$/);
    expect(userIdForOpenid('oA')).not.toBe(userIdForOpenid('oa'));
    expect(isId(userIdForOpenid('oA'))).toBe(true);
  });
});
