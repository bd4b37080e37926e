import { describe, expect, it } from 'vitest';
import { scrubJson } from './scrub-json.js';

const OPENID = 'oCANARY0123456789abcdefghijk';

describe('stored documents', () => {
  it('lose openids, phones and secrets by their key, their shape and within text', () => {
    const documents = [
      { openid: 'CANARY' },
      { payer: { sub_openid: 'CANARY' }, list: [{ phoneNumber: 'CANARY' }] },
      JSON.stringify({ payer: { openid: 'CANARY' } }),
      { raw: JSON.stringify({ apiV3Key: 'CANARY', paySign: 'CANARY' }) },
      `paid by ${OPENID}`,
      '{"openid":"CANARY"',
      `[paid by ${OPENID}]`,
    ];
    for (const document of documents) expect(JSON.stringify(scrubJson(document))).not.toContain('CANARY');
  });

  it('keep what an operator looks for', () => {
    const document = { out_trade_no: '170634567890112345', amount: { total: 2990 }, ok: true, none: null };
    expect(scrubJson(document)).toEqual(document);
    expect(scrubJson(JSON.stringify(document))).toEqual(document);
    // People begin what they write with a bracket, too: WeChat's faces are written so.
    expect(scrubJson('[玫瑰]生日快乐')).toBe('[玫瑰]生日快乐');
  });

  it('end at any depth', () => {
    let deep: unknown = 'x';
    for (let depth = 0; depth < 10_000; depth += 1) deep = [deep];
    expect(JSON.stringify(scrubJson(deep)).length).toBeLessThan(100);
  });
});
