import { createSecretKey } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signNotice } from './webhook-signature.js';

const SECRET = createSecretKey('a-secret-of-this-test-only', 'utf8');

describe('signNotice', () => {
  // Made with: printf '1769479200.{"id":"付款"}' | openssl dgst -sha256 -hmac a-secret-of-this-test-only
  it('is what other tools make of the timestamp, a dot and the bytes of the body', () => {
    expect(signNotice({ timestampSeconds: 1_769_479_200, rawBody: '{"id":"付款"}' }, SECRET)).toBe(
      'v1=100d0f261e1c6ae0c1db43178bdcc2fcda3c22bf1d1e082cf80eab03e92d270a',
    );
  });

  it('differs for another timestamp, body or secret', () => {
    const notice = { timestampSeconds: 1_769_479_200, rawBody: '{}' };
    const signatures = [
      signNotice(notice, SECRET),
      signNotice({ ...notice, timestampSeconds: 1_769_479_201 }, SECRET),
      signNotice({ ...notice, rawBody: '{ }' }, SECRET),
      signNotice(notice, createSecretKey('another-secret-of-this-test', 'utf8')),
    ];
    expect(new Set(signatures).size).toBe(4);
  });
});
