import { describe, expect, it } from 'vitest';
import type { TemplateField } from '../platform/config/notices-config.js';
import { fillTemplate, msUntilTomorrowInBeijing } from './subscribe-data.js';

const HOUR_MS = 3_600_000;
const STAGED_AT = new Date('2026-01-27T02:05:00Z');
const PAYLOAD = {
  outTradeNo: '170634567890112345',
  orderId: 'order-1',
  packageType: 'premium',
  amountFen: 2990,
  paidAt: '2026-01-26T16:00:59.000Z',
};

function fill(field: Partial<TemplateField>, payload: Record<string, unknown> = PAYLOAD): string | undefined {
  const whole: TemplateField = { name: 'thing1', kind: 'thing', text: '', ...field };
  return fillTemplate([whole], { payload, stagedAt: STAGED_AT })[whole.name]?.value;
}

describe('fillTemplate', () => {
  it.each([
    ['{outTradeNo}', '170634567890112345'],
    ['订单 {orderId}', '订单 order-1'],
    ['¥{amountYuan}', '¥29.90'],
    ['{packageName}', '尊享包'],
    ['{paidAt}', '2026年1月27日 00:00'], // midnight in Beijing
  ])('fills %s', (text, filled) => {
    expect(fill({ kind: 'amount', text })).toBe(filled);
  });

  // WeChat refuses the whole message for one value that is too long.
  it('cuts texts to the rule of their kind, by whole characters, and leaves amounts and times', () => {
    expect(fill({ text: '🎁'.repeat(30) })).toBe('🎁'.repeat(20));
    expect(fill({ kind: 'character_string', text: '{outTradeNo}' }, { outTradeNo: '1'.repeat(64) })).toBe(
      '1'.repeat(32),
    );
    expect(fill({ kind: 'phrase', text: '支付已经成功' })).toBe('支付已经成');
    expect(fill({ kind: 'time', text: '{paidAt}~{paidAt}' })).toHaveLength(33);
  });

  it('says something where the payment says nothing', () => {
    expect(fill({ text: '{orderId}' }, {})).toBe('-');
    expect(fill({ text: '{amountYuan}' }, {})).toBe('-');
    expect(fill({ text: '{paidAt}' }, {})).toBe('2026年1月27日 10:05'); // when it was staged
    expect(fill({ text: '{packageName}' }, { packageType: 'deluxe' })).toBe('deluxe');
  });

  // What a value says must not be read as a placeholder of its own.
  it('fills once', () => {
    expect(fill({ text: '{orderId}' }, { orderId: '{amountYuan}' })).toBe('{amountYuan}');
  });
});

describe('msUntilTomorrowInBeijing', () => {
  it.each([
    ['2026-01-26T15:59:00Z', 60_000],
    ['2026-01-26T16:00:00Z', 24 * HOUR_MS],
    ['2026-01-27T04:00:00Z', 12 * HOUR_MS],
  ])('counts from %s', (now, ms) => {
    expect(msUntilTomorrowInBeijing(Date.parse(now))).toBe(ms);
  });
});
