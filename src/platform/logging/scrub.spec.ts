import { describe, expect, it } from 'vitest';
import { scrubError, scrubText } from './scrub.js';

describe('scrubbing', () => {
  it('removes what drivers copy out of rows and credentials', () => {
    const texts = [
      "Duplicate entry 'CANARY' for key 'openid'",
      "Incorrect integer value: 'CANARY' for column 'amount' at row 1",
      'connect mysql://shop:CANARY@db:3306/shop failed',
      'Access denied (password=CANARY)',
      '{"password":"CANARY"}',
      'Authorization: CANARY',
      '-----BEGIN PRIVATE KEY-----\nCANARY\n-----END PRIVATE KEY-----',
    ];
    for (const text of texts) expect(scrubText(text)).not.toContain('CANARY');
    expect(scrubText(texts[0] ?? '')).toContain("for key 'openid'");
  });

  it('keeps a log line one line', () => {
    expect(scrubText('a\r\n{"level":50}')).toBe('a {"level":50}');
  });

  it('tells name, code and message of an error, and nothing a driver hung on it', () => {
    const error = Object.assign(new Error('no'), {
      code: 'ER_X',
      sql: "INSERT 'CANARY'",
      parameters: ['CANARY'],
    });
    expect(JSON.stringify(scrubError(error))).not.toContain('CANARY');
    expect(scrubError(error)).toMatchObject({ name: 'Error', code: 'ER_X', message: 'no' });
  });
});
