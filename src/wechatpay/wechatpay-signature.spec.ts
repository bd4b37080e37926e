import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkSignature } from './wechatpay-signature.js';
import type { SignedMessage } from './wechatpay-signature.js';

type Vectors = {
  notify_verify: {
    certificate_pem: string;
    headers: Record<string, string>;
    body: string;
    freeze_clock_to: number;
  }[];
  http_response_verify: {
    public_pem: string;
    timestamp: string;
    nonce: string;
    body: string;
    signature: string;
    serial: string;
    signature_type: string;
  }[];
};

const vectors = JSON.parse(
  readFileSync(new URL('./published-vectors.json', import.meta.url), 'utf8'),
) as Vectors;
const [callback] = vectors.notify_verify;
const [response] = vectors.http_response_verify;
if (!callback || !response) throw new Error('the published vectors are not complete');

const smallLetters = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

const certificate = new X509Certificate(callback.certificate_pem);
const platformKeys = new Map([
  [certificate.serialNumber, certificate.publicKey],
  [response.serial, createPublicKey(response.public_pem)],
]);
const nowMs = callback.freeze_clock_to * 1000;
const published: SignedMessage = {
  headers: smallLetters(callback.headers),
  rawBody: Buffer.from(callback.body, 'utf8'),
};
const withHeaders = (changes: Record<string, unknown>): SignedMessage => ({
  ...published,
  headers: { ...published.headers, ...changes },
});
const check = (message: SignedMessage, atMs = nowMs) =>
  checkSignature(message, { platformKeys, nowMs: atMs });

describe('checkSignature', () => {
  it('accepts the published callback in certificate mode', () => {
    expect(check(published)).toBe('valid');
  });

  it('accepts the published response in public-key mode', () => {
    const message = {
      headers: {
        'wechatpay-timestamp': response.timestamp,
        'wechatpay-nonce': response.nonce,
        'wechatpay-serial': response.serial,
        'wechatpay-signature': response.signature,
        'wechatpay-signature-type': response.signature_type,
      },
      rawBody: Buffer.from(response.body),
    };
    expect(check(message, Number(response.timestamp) * 1000)).toBe('valid');
    expect(
      check({ ...message, rawBody: Buffer.from(`${response.body} `) }, Number(response.timestamp) * 1000),
    ).toBe('bad_signature');
  });

  it('accepts an age below five minutes in either direction, and refuses five minutes', () => {
    expect(check(published, nowMs + 299_999)).toBe('valid');
    expect(check(published, nowMs - 299_999)).toBe('valid');
    expect(check(published, nowMs + 300_000)).toBe('expired');
    expect(check(published, nowMs - 300_000)).toBe('expired');
  });

  it.each(['timestamp', 'nonce', 'serial', 'signature'])('refuses without the %s header', (name) => {
    expect(check(withHeaders({ [`wechatpay-${name}`]: undefined }))).toBe('headers_missing');
    expect(check(withHeaders({ [`wechatpay-${name}`]: '' }))).toBe('headers_missing');
    expect(check(withHeaders({ [`wechatpay-${name}`]: ['a', 'b'] }))).toBe('headers_missing');
    expect(check(withHeaders({ [`wechatpay-${name}`]: 'x'.repeat(5000) }))).toBe('headers_missing');
  });

  it('refuses a timestamp that is not a number of seconds', () => {
    for (const timestamp of ['NaN', '1e9', '-1', ' 1624523846', '1624523846.5', '0x60d44586']) {
      expect(check(withHeaders({ 'wechatpay-timestamp': timestamp }))).toBe('headers_missing');
    }
  });

  it('takes the key that the serial names, and no other', () => {
    expect(check(withHeaders({ 'wechatpay-serial': 'F5765756002FDD77' }))).toBe('unknown_serial');
    expect(check(withHeaders({ 'wechatpay-serial': response.serial }))).toBe('bad_signature');
    expect(check(withHeaders({ 'wechatpay-serial': '__proto__' }))).toBe('unknown_serial');
  });

  it('refuses when a byte of the body, the nonce or the time is another', () => {
    const body = Buffer.from(published.rawBody);
    body.writeUInt8(body.readUInt8(10) ^ 1, 10);
    expect(check({ ...published, rawBody: body })).toBe('bad_signature');
    expect(check({ ...published, rawBody: published.rawBody.subarray(0, -1) })).toBe('bad_signature');
    expect(check({ ...published, rawBody: Buffer.alloc(0) })).toBe('bad_signature');
    expect(check(withHeaders({ 'wechatpay-nonce': 'another' }))).toBe('bad_signature');
    expect(check(withHeaders({ 'wechatpay-timestamp': String(nowMs / 1000 + 1) }))).toBe('bad_signature');
  });

  it('refuses a probe and other signatures that are none, without throwing', () => {
    const { 'wechatpay-signature': good } = published.headers as Record<string, string>;
    for (const signature of [
      `WECHATPAY/SIGNTEST/${good?.slice(19)}`,
      'undefined',
      '====',
      '签名',
      good?.slice(4),
    ]) {
      expect(check(withHeaders({ 'wechatpay-signature': signature }))).toBe('bad_signature');
    }
  });

  it('refuses a signature of another kind', () => {
    expect(check(withHeaders({ 'wechatpay-signature-type': 'WECHATPAY2-SM2-WITH-SM3' }))).toBe(
      'bad_signature',
    );
  });

  it('refuses what a stranger signed under a known serial', () => {
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const keys = new Map([[certificate.serialNumber, stranger]]);
    expect(checkSignature(published, { platformKeys: keys, nowMs })).toBe('bad_signature');
  });
});
