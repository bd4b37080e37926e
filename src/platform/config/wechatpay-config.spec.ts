import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { EnvReader } from './env-reader.js';
import type { Env } from './env-reader.js';
import { readWechatpay } from './wechatpay-config.js';

/** Published with the official Go tools as an example: nobody's certificate. Valid from 2021-04-27. */
const CERTIFICATE_PEM = `-----BEGIN CERTIFICATE-----
MIIDVzCCAj+gAwIBAgIJANfOWdH1ItcBMA0GCSqGSIb3DQEBCwUAMEIxCzAJBgNV
BAYTAlhYMRUwEwYDVQQHDAxEZWZhdWx0IENpdHkxHDAaBgNVBAoME0RlZmF1bHQg
Q29tcGFueSBMdGQwHhcNMjEwNDI3MDg1NTIzWhcNMzEwNDI1MDg1NTIzWjBCMQsw
CQYDVQQGEwJYWDEVMBMGA1UEBwwMRGVmYXVsdCBDaXR5MRwwGgYDVQQKDBNEZWZh
dWx0IENvbXBhbnkgTHRkMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA
2VCTd91fnUn73Xy9DLvt/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXag
HQ4vGeZN0yqm++rDsGK+U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOm
DeJf2vg6byms9RUipiq4SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDGUUK65E5h2B83
4uxl1zNLYQCrkdBzb8oUxwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGf
y8wus7hwKz6clt3Whmmda7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtk
aSef4FdEEgEXJiw0VAJT8wIDAQABo1AwTjAdBgNVHQ4EFgQUT1c7nd/SUO76HSoZ
umNUJv1R5PwwHwYDVR0jBBgwFoAUT1c7nd/SUO76HSoZumNUJv1R5PwwDAYDVR0T
BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAfTjxKRQMzNB/U6ZoCUS+BSNfa2Oh
0plMN6ZuzwiVVZwg1jywvv5yv04koS7Pd4i9E4gt9ZBUQXlpq+A3oOCEEHNRR6b2
kyazGRM7s0OP5X21WrbpSmKmU6K7hkfx30yYs08LVs/Q8DIhvaj1FCFeJzUCzYn/
fHMq4tsbKO0dKAeydPM/nrUZBmaYQVKMVOORGLFjFKVO7JV6Kq/R86ouhjEPgJOe
2xulNBUcjicqtZlBdEh/PWCYP2SpGVDclKm8jeo175T3EVAkdKzzmfpxtMmnMlmq
cTJOU9TxuGvNASMtjj7pYIerTx+xgZDXEVBWFW9PjJ0TV06tCRsgSHItgg==
-----END CERTIFICATE-----
`;
/** As above, issued a quarter of an hour earlier: 08:40:32 and not 08:55:23. */
const EARLIER_CERTIFICATE_PEM = `-----BEGIN CERTIFICATE-----
MIIDVzCCAj+gAwIBAgIJAPV2V1YAL913MA0GCSqGSIb3DQEBCwUAMEIxCzAJBgNV
BAYTAlhYMRUwEwYDVQQHDAxEZWZhdWx0IENpdHkxHDAaBgNVBAoME0RlZmF1bHQg
Q29tcGFueSBMdGQwHhcNMjEwNDI3MDg0MDMyWhcNMzEwNDI1MDg0MDMyWjBCMQsw
CQYDVQQGEwJYWDEVMBMGA1UEBwwMRGVmYXVsdCBDaXR5MRwwGgYDVQQKDBNEZWZh
dWx0IENvbXBhbnkgTHRkMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA
2VCTd91fnUn73Xy9DLvt/V62TVxRTEEstVdeRaZ3B3leO0pldE806mXO4RwdHXag
HQ4vGeZN0yqm++rDsGK+U3AH7kejyD2pXshNP9Cq5YwbptiLGtjcquw4HNxJQUOm
DeJf2vg6byms9RUipiq4SzbJKqJFlUpbuIPDpSpWz10PYmyCNeDGUUK65E5h2B83
4uxl1zNLYQCrkdBzb8oUxwYeP5a2DNxmjL5lsJML7DGr5znsevnoqGRwTm9fxCGf
y8wus7hwKz6clt3Whmmda7UAdb1c08hEQFVRbF14AR73xbnd8N0obCWJPCbzMCtk
aSef4FdEEgEXJiw0VAJT8wIDAQABo1AwTjAdBgNVHQ4EFgQUT1c7nd/SUO76HSoZ
umNUJv1R5PwwHwYDVR0jBBgwFoAUT1c7nd/SUO76HSoZumNUJv1R5PwwDAYDVR0T
BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAM+tslqBxYwqL9fdvGG6hfy69sjfX
UhBtBLWYugKKQCOWWLeq5dDWm3i5Cx2Rgiy9uc7RfmJNxQfIKlcoCNP85BjDoG1B
YnVc6znlcrT9uHgseha3987WwZsFAQbcy8TLUYHzVB8gmDgq8O08xdIe0eczatI8
t3Rg8WXO6Gs66JJ4JR+rD01o3FiSOQCRWhn19NSyDydsgPlOR2t9B9L+MkJwlsMG
Krn85TnwL3qcInzRnU8X86faXXJrI0IJi44tECKw8ftngCl6vyNwNNKPDwdkcuuV
8y3iBixO5IuKxEKEp2wGPV/4W1AXO73Z3Gb7z/1oxdgeO0hVqz1hBasTCQ==
-----END CERTIFICATE-----
`;
const CERTIFICATE_SERIAL = 'D7CE59D1F522D701';
const PUBLIC_KEY_ID = 'PUB_KEY_ID_0112345678902026012700000000000001';
const API_V3_KEY = 'CANARY-32-byte-apiv3-key-0000000';

const pair = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const merchant = pair();
const platform = pair();
const MERCHANT_PEM = merchant.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const PLATFORM_PEM = platform.publicKey.export({ type: 'spki', format: 'pem' }) as string;

const GOOD: Env = {
  WECHAT_APPID: 'wx1234567890abcdef',
  WECHAT_MCHID: '1234567890',
  WECHAT_SERIAL_NO: '1234567890abcdef1234567890ABCDEF12345678',
  WECHAT_PRIVATE_KEY: MERCHANT_PEM,
  WECHAT_APIV3_KEY: API_V3_KEY,
  WECHAT_PUBLIC_KEY: PLATFORM_PEM,
  WECHAT_PUBLIC_KEY_ID: PUBLIC_KEY_ID,
};

function read(env: Env) {
  const reader = new EnvReader(env);
  return { config: readWechatpay(reader), problems: reader.problems };
}
const readGood = (changes: Env = {}) => {
  const { config, problems } = read({ ...GOOD, ...changes });
  expect(problems).toEqual([]);
  if (!config) throw new Error('the channel should be configured');
  return config;
};

describe('readWechatpay', () => {
  it('is not configured when nothing is set, or empty, or only what other features need', () => {
    for (const env of [
      {},
      { WECHAT_MCHID: '', WECHAT_PRIVATE_KEY: '  ' },
      { WECHAT_API_BASE_URL: 'http://localhost:9' },
      { WECHAT_APPID: 'wx1234567890abcdef', WECHAT_APP_SECRET: 'of-the-mini-program' },
      { WECHAT_NOTIFY_URL: 'https://shop.example/api/payment/callback' },
    ]) {
      expect(read(env)).toEqual({ config: null, problems: [] });
    }
  });

  it('reads public-key mode', () => {
    const config = readGood();
    expect([...config.platformKeys.keys()]).toEqual([PUBLIC_KEY_ID]);
    expect(config).toMatchObject({
      appid: GOOD.WECHAT_APPID,
      mchid: GOOD.WECHAT_MCHID,
      merchantSerial: '1234567890ABCDEF1234567890ABCDEF12345678',
      platformSerial: PUBLIC_KEY_ID,
      apiBaseUrl: 'https://api.mch.weixin.qq.com',
    });
    expect(config.apiV3Key.export().toString()).toBe(API_V3_KEY);
  });

  it('reads certificate mode, and asks for the newest certificate', () => {
    for (const pem of [
      CERTIFICATE_PEM + EARLIER_CERTIFICATE_PEM,
      EARLIER_CERTIFICATE_PEM + CERTIFICATE_PEM,
    ]) {
      const config = readGood({ WECHAT_PUBLIC_KEY: pem, WECHAT_PUBLIC_KEY_ID: undefined });
      expect(config.platformSerial).toBe(CERTIFICATE_SERIAL);
      expect([...config.platformKeys.keys()].sort()).toEqual([CERTIFICATE_SERIAL, 'F5765756002FDD77']);
    }
  });

  it('reads a certificate and a public key side by side, and asks for the public key', () => {
    for (const pem of [CERTIFICATE_PEM + PLATFORM_PEM, PLATFORM_PEM + CERTIFICATE_PEM]) {
      const config = readGood({ WECHAT_PUBLIC_KEY: pem });
      expect(config.platformSerial).toBe(PUBLIC_KEY_ID);
      expect(config.platformKeys.get(PUBLIC_KEY_ID)?.equals(platform.publicKey)).toBe(true);
      expect(
        config.platformKeys.get(CERTIFICATE_SERIAL)?.equals(new X509Certificate(CERTIFICATE_PEM).publicKey),
      ).toBe(true);
    }
  });

  it('takes line breaks written as \\n, and keys in the older form', () => {
    const inOneLine = (pem: string) => pem.replaceAll('\n', '\\n');
    const config = readGood({
      WECHAT_PRIVATE_KEY: inOneLine(MERCHANT_PEM),
      WECHAT_PUBLIC_KEY: inOneLine(CERTIFICATE_PEM + PLATFORM_PEM).replaceAll('\\n', '\\r\\n'),
    });
    expect(config.platformKeys.size).toBe(2);
    expect(config.merchantPrivateKey.equals(merchant.privateKey)).toBe(true);
    const older = merchant.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
    expect(readGood({ WECHAT_PRIVATE_KEY: older }).merchantPrivateKey.equals(merchant.privateKey)).toBe(true);
  });

  it.each(Object.keys(GOOD))('names %s when it alone is missing', (name) => {
    const { config, problems } = read({ ...GOOD, [name]: undefined });
    expect(config).toBeNull();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
  });

  it('names all that is missing when only one is set', () => {
    const { problems } = read({ WECHAT_APPID: 'wx1234567890abcdef' });
    for (const name of Object.keys(GOOD).filter((key) => !/APPID|_ID$/.test(key))) {
      expect(problems).toContainEqual(expect.stringContaining(name));
    }
  });

  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const curve = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pemOf = (key: typeof weak.privateKey) => key.export({ type: 'pkcs8', format: 'pem' }) as string;
  const spkiOf = (key: typeof weak.publicKey) => key.export({ type: 'spki', format: 'pem' }) as string;

  it.each<[string, string, Env]>([
    ['an appid that is none', 'WECHAT_APPID', { WECHAT_APPID: 'wx 12' }],
    ['a merchant number that is none', 'WECHAT_MCHID', { WECHAT_MCHID: '12345x' }],
    ['a serial that is not hexadecimal', 'WECHAT_SERIAL_NO', { WECHAT_SERIAL_NO: 'CANARY' }],
    ['a private key that is none', 'WECHAT_PRIVATE_KEY', { WECHAT_PRIVATE_KEY: 'CANARY' }],
    [
      'a private key cut short',
      'WECHAT_PRIVATE_KEY',
      { WECHAT_PRIVATE_KEY: MERCHANT_PEM.replace(/\n.{20}/, '\n') },
    ],
    ['a public key as private key', 'WECHAT_PRIVATE_KEY', { WECHAT_PRIVATE_KEY: PLATFORM_PEM }],
    ['a short private key', 'WECHAT_PRIVATE_KEY', { WECHAT_PRIVATE_KEY: pemOf(weak.privateKey) }],
    ['a private key that is not RSA', 'WECHAT_PRIVATE_KEY', { WECHAT_PRIVATE_KEY: pemOf(curve.privateKey) }],
    ['an APIv3 key that is too short', 'WECHAT_APIV3_KEY', { WECHAT_APIV3_KEY: 'CANARY' }],
    // 32 characters, but more bytes.
    ['an APIv3 key of other characters', 'WECHAT_APIV3_KEY', { WECHAT_APIV3_KEY: '密'.repeat(32) }],
    ['a public key that is none', 'WECHAT_PUBLIC_KEY', { WECHAT_PUBLIC_KEY: 'CANARY' }],
    [
      'a public key cut short',
      'WECHAT_PUBLIC_KEY',
      { WECHAT_PUBLIC_KEY: PLATFORM_PEM.replace(/\n.{20}/, '\n') },
    ],
    ['a short public key', 'WECHAT_PUBLIC_KEY', { WECHAT_PUBLIC_KEY: spkiOf(weak.publicKey) }],
    ['a public key that is not RSA', 'WECHAT_PUBLIC_KEY', { WECHAT_PUBLIC_KEY: spkiOf(curve.publicKey) }],
    ['a private key as public key', 'WECHAT_PUBLIC_KEY', { WECHAT_PUBLIC_KEY: pemOf(platform.privateKey) }],
    ['two public keys', 'WECHAT_PUBLIC_KEY', { WECHAT_PUBLIC_KEY: PLATFORM_PEM + spkiOf(pair().publicKey) }],
    ["the merchant's own public key", 'WECHAT_PUBLIC_KEY', { WECHAT_PUBLIC_KEY: spkiOf(merchant.publicKey) }],
    [
      "the merchant's own certificate",
      'WECHAT_PUBLIC_KEY',
      {
        WECHAT_PUBLIC_KEY: CERTIFICATE_PEM,
        WECHAT_PUBLIC_KEY_ID: undefined,
        WECHAT_SERIAL_NO: CERTIFICATE_SERIAL,
      },
    ],
    ['a public key without its id', 'WECHAT_PUBLIC_KEY_ID', { WECHAT_PUBLIC_KEY_ID: undefined }],
    ['an id that is none', 'WECHAT_PUBLIC_KEY_ID', { WECHAT_PUBLIC_KEY_ID: 'CANARY' }],
    ['an id without a public key', 'WECHAT_PUBLIC_KEY_ID', { WECHAT_PUBLIC_KEY: CERTIFICATE_PEM }],
    ['an address that is none', 'WECHAT_API_BASE_URL', { WECHAT_API_BASE_URL: 'CANARY' }],
    ['plain http', 'WECHAT_API_BASE_URL', { WECHAT_API_BASE_URL: 'http://api.mch.weixin.qq.com' }],
    [
      'http to a name like ours',
      'WECHAT_API_BASE_URL',
      { WECHAT_API_BASE_URL: 'http://localhost.evil.example' },
    ],
    ['another scheme', 'WECHAT_API_BASE_URL', { WECHAT_API_BASE_URL: 'ftp://localhost' }],
    ['a path', 'WECHAT_API_BASE_URL', { WECHAT_API_BASE_URL: 'https://api.mch.weixin.qq.com/v3' }],
    ['credentials', 'WECHAT_API_BASE_URL', { WECHAT_API_BASE_URL: 'https://CANARY:CANARY@localhost' }],
  ])('refuses %s, naming %s and repeating nothing', (_what, name, changes) => {
    const { config, problems } = read({ ...GOOD, ...changes });
    expect(config).toBeNull();
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(name);
    expect(problems[0]).not.toMatch(/CANARY|BEGIN|密/);
    for (const line of MERCHANT_PEM.split('\n').slice(1, -2)) expect(problems[0]).not.toContain(line);
  });

  it.each([
    ['http://127.0.0.1:8089', 'http://127.0.0.1:8089'],
    ['http://localhost:8089/', 'http://localhost:8089'],
    ['http://[::1]:8089', 'http://[::1]:8089'],
    ['https://api2.mch.weixin.qq.com/', 'https://api2.mch.weixin.qq.com'],
  ])('accepts the address %s', (given, kept) => {
    expect(readGood({ WECHAT_API_BASE_URL: given }).apiBaseUrl).toBe(kept);
  });

  it('shows no key when the configuration itself is printed', () => {
    const config = readGood();
    const shown = `${inspect(config, { depth: 10, showHidden: true })}${JSON.stringify(config)}`;
    expect(shown).toContain('wx1234567890abcdef');
    expect(shown).not.toContain('CANARY');
    for (const line of MERCHANT_PEM.split('\n').slice(1, -2)) expect(shown).not.toContain(line);
  });
});
