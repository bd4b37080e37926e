import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Aes, Formatter, Rsa } from 'wechatpay-axios-plugin';
import { makeCertificate, makeSerial } from '../../support/wechatpay-simulator/certificate.js';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.js';
import type { Fault } from '../../support/wechatpay-simulator/faults.js';
import { findKey, makeKeys } from '../../support/wechatpay-simulator/keys.js';
import type { SimulatorKeys } from '../../support/wechatpay-simulator/keys.js';
import {
  encryptResource,
  isSignatureGood,
  signMessage,
  toMessage,
} from '../../support/wechatpay-simulator/signing.js';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.js';
import { authorize, PluginClient } from './plugin-client.js';
import type { Json } from './plugin-client.js';

const NOW_MS = Date.parse('2026-01-27T10:00:00+08:00');

const vectors = JSON.parse(
  readFileSync(new URL('../../../src/wechatpay/published-vectors.json', import.meta.url), 'utf8'),
);

let keys: SimulatorKeys;
let simulator: WechatPaySimulator;
let client: PluginClient;

beforeAll(async () => {
  keys = await makeKeys('switching', NOW_MS);
});

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: NOW_MS });
  simulator = await startWechatPaySimulator({
    mode: 'switching',
    keys,
    clock: SimulatorClock.heldAt(NOW_MS),
  });
  client = new PluginClient(simulator);
});

afterEach(() => simulator.close());

afterAll(() => {
  vi.useRealTimers();
});

describe('the published vectors', () => {
  it('a request, signed over its method, path, time, nonce and body', () => {
    const vector = vectors.rsa_sign.find(({ name }: Json) => name === 'request-post-jsapi-prepay');
    const { method, url, timestamp, nonce_str, body } = vector.inputs;
    const { public_pem } = vectors.keys[vector.key];
    const message = toMessage([method, url, timestamp, nonce_str], Buffer.from(body));
    expect(message.toString()).toBe(vector.message);
    expect(isSignatureGood(message, vector.signature, public_pem)).toBe(true);
    const other = toMessage([method, `${url}?`, timestamp, nonce_str], Buffer.from(body));
    expect(isSignatureGood(other, vector.signature, public_pem)).toBe(false);
  });

  it('an answer and a notice, signed over the raw body', () => {
    const [answer] = vectors.http_response_verify;
    const ofAnswer = toMessage([answer.timestamp, answer.nonce], Buffer.from(answer.body));
    expect(isSignatureGood(ofAnswer, answer.signature, answer.public_pem)).toBe(true);

    const [{ headers, body, certificate_pem }] = vectors.notify_verify;
    const ofNotice = toMessage(
      [headers['Wechatpay-Timestamp'], headers['Wechatpay-Nonce']],
      Buffer.from(body),
    );
    const { publicKey } = new X509Certificate(certificate_pem);
    expect(isSignatureGood(ofNotice, headers['Wechatpay-Signature'], publicKey)).toBe(true);
  });

  it('a resource is read by the same reader as the published ones', () => {
    const read = (one: Json) =>
      Aes.AesGcm.decrypt(one.ciphertext_b64, one.key_utf8, one.nonce, one.associated_data);
    for (const vector of vectors.aes_256_gcm) expect(read(vector)).toBe(vector.plaintext);
    const own = encryptResource('{"mchid":"1900000001"}', {
      apiv3Key: keys.merchant.apiv3Key,
      associatedData: 'transaction',
    });
    const vector = { ...own, ciphertext_b64: own.ciphertext, key_utf8: keys.merchant.apiv3Key };
    expect(read(vector)).toBe('{"mchid":"1900000001"}');
    expect(own.nonce).toHaveLength(12);
    expect(() => read({ ...vector, associated_data: 'refund' })).toThrow();
  });
});

describe('the platform certificate', () => {
  it('is a self-signed X.509 certificate with the serial it was given', () => {
    const { privateKey, publicKey } = keys.merchant;
    const serial = makeSerial();
    const pem = makeCertificate({ privateKey, serial, commonName: 'Test', validFromMs: NOW_MS });
    const certificate = new X509Certificate(pem);
    expect(certificate.serialNumber).toBe(serial);
    expect(serial).toMatch(/^[1-9A-F][0-9A-F]{39}$/);
    expect(certificate.verify(publicKey)).toBe(true);
    expect(certificate.validFromDate.getTime()).toBe(NOW_MS);
    expect(certificate.subject).toContain('CN=Test');
  });
});

describe('an answer', () => {
  const outTradeNo = '202601270000000001';
  const url = () => `/v3/pay/transactions/out-trade-no/${outTradeNo}?mchid=${simulator.keys.merchant.mchid}`;

  beforeEach(() => void simulator.placeOrder({ outTradeNo, totalFen: 2990 }));

  it('is signed with the key the request names, else with the certificate', async () => {
    const certificate = findKey(keys, 'certificate')?.serial;
    const publicKey = findKey(keys, 'public-key')?.serial;
    expect(certificate).toMatch(/^[0-9A-F]{40}$/);
    expect(publicKey).toMatch(/^PUB_KEY_ID_\d+$/);
    const serialFor = async (named: string | undefined) => {
      const headers = named === undefined ? {} : { 'Wechatpay-Serial': named };
      const reply = await client.query(outTradeNo, headers);
      expect(reply).toMatchObject({ status: 200, data: { trade_state: 'NOTPAY' } });
      return reply.headers['wechatpay-serial'];
    };
    expect(await serialFor(undefined)).toBe(certificate);
    expect(await serialFor(certificate)).toBe(certificate);
    expect(await serialFor(publicKey)).toBe(publicKey);
    expect(await serialFor('PUB_KEY_ID_404')).toBe(certificate);
  });

  it('verifies with the key that is told, also when it has no body', async () => {
    const { headers, data, status } = await client.close(outTradeNo);
    expect({ data, status }).toEqual({ data: '', status: 204 });
    const message = Formatter.response(headers['wechatpay-timestamp'], headers['wechatpay-nonce'], '');
    expect(Rsa.verify(message, headers['wechatpay-signature'], keys.platform[0].pem)).toBe(true);
    expect(headers['wechatpay-signature-type']).toBe('WECHATPAY2-SHA256-RSA2048');
    expect(headers['request-id']).toMatch(/^\w+-0$/);
  });

  it('is refused to whoever is not the merchant, or says it late or twice', async () => {
    const ask = async (authorization: string | undefined) => {
      const headers = { Accept: 'application/json', ...(authorization && { Authorization: authorization }) };
      const response = await fetch(simulator.baseUrl + url(), { headers });
      const body: Json = await response.json();
      return response.ok ? 'accepted' : `${response.status} ${body.code}`;
    };
    const request = { method: 'GET', url: url() };
    const nowS = Math.floor(NOW_MS / 1000);
    const nonce = 'f00dfeedf00dfeed';
    const refused = '401 SIGN_ERROR';
    expect(await ask(authorize(simulator, request, { nonce }))).toBe('accepted');
    expect(await ask(authorize(simulator, request, { nonce }))).toBe(refused);
    expect(await ask(authorize(simulator, request, { timestamp: `${nowS - 300}` }))).toBe('accepted');
    expect(await ask(authorize(simulator, request, { timestamp: `${nowS - 301}` }))).toBe(refused);
    expect(await ask(authorize(simulator, request, { timestamp: `${nowS + 301}` }))).toBe(refused);
    expect(await ask(authorize(simulator, request, { signedUrl: url().replace('?', '?x=1&') }))).toBe(
      refused,
    );
    expect(await ask(authorize(simulator, request, { mchid: '1900000000' }))).toBe(refused);
    expect(await ask(authorize(simulator, request, { serial: keys.platform[0].serial }))).toBe(refused);
    expect(await ask(undefined)).toBe(refused);
    expect(await ask('Basic abc')).toBe(refused);
  });

  it('says what was signed when a signature is wrong', async () => {
    const headers = {
      Accept: 'application/json',
      Authorization: authorize(simulator, { method: 'POST', url: url() }),
    };
    const body: Json = await (await fetch(simulator.baseUrl + url(), { headers })).json();
    expect(body.detail).toMatchObject({
      issue: 'sign not match',
      sign_information: { method: 'GET', url: url() },
    });
  });

  it.each<[Fault, { status: number | null; code: string }]>([
    ['bad-signature', { status: 200, code: 'EV3_RES_HEADER_SIGNATURE_DIGEST' }],
    ['changed-body', { status: 200, code: 'EV3_RES_HEADER_SIGNATURE_DIGEST' }],
    ['missing-headers', { status: 200, code: 'EV3_RES_HEADERS_INCOMPLATE' }],
    ['unknown-serial', { status: 200, code: 'EV3_RES_HEADER_PLATFORM_SERIAL' }],
    ['skew', { status: 200, code: 'EV3_RES_HEADER_TIMESTAMP_OFFSET' }],
    ['too-many-before', { status: 429, code: 'FREQUENCY_LIMITED' }],
    ['rule-limit-before', { status: 403, code: 'RULE_LIMIT' }],
    ['error-before', { status: 500, code: 'SYSTEM_ERROR' }],
    ['html-502-before', { status: 502, code: 'ERR_BAD_RESPONSE' }],
    ['redirect-before', { status: 302, code: 'ERR_BAD_RESPONSE' }],
    ['reset-before', { status: null, code: 'ECONNRESET' }],
    ['truncated', { status: 200, code: 'EV3_RES_HEADER_SIGNATURE_DIGEST' }],
    [
      { status: 403, code: 'NO_AUTH' },
      { status: 403, code: 'NO_AUTH' },
    ],
  ])('%j spoils one request, and the next is good again', async (fault, expected) => {
    simulator.faults.next(fault, { route: 'close' });
    simulator.faults.next(fault);
    expect(await client.query(outTradeNo)).toMatchObject(expected);
    expect(await client.query(outTradeNo)).toMatchObject({ status: 200, code: null });
    expect(simulator.faults.left).toBe(1);
  });

  it.each<[Fault, 'NOTPAY' | 'CLOSED']>([
    ['error-before', 'NOTPAY'],
    ['hang-before', 'NOTPAY'],
    ['reset-before', 'NOTPAY'],
    ['html-502-before', 'NOTPAY'],
    ['redirect-before', 'NOTPAY'],
    ['error-after', 'CLOSED'],
    ['hang-after', 'CLOSED'],
    ['reset-after', 'CLOSED'],
    ['html-502-after', 'CLOSED'],
    ['bad-signature', 'CLOSED'],
    ['missing-headers', 'CLOSED'],
    ['truncated', 'CLOSED'],
  ])('%s on a close leaves the order %s', async (fault, state) => {
    simulator.faults.next(fault);
    expect((await client.close(outTradeNo)).code).not.toBeNull();
    expect(simulator.ledger.getOrder(outTradeNo).state).toBe(state);
    expect(simulator.requests.map(({ route }) => route)).toEqual(['close']);
  });

  it('breaks off in the middle of what it promised', async () => {
    simulator.faults.next('truncated');
    const Authorization = authorize(simulator, { method: 'GET', url: url() });
    const response = await fetch(simulator.baseUrl + url(), {
      headers: { Accept: 'application/json', Authorization },
    });
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow('terminated');
  });

  it('can be larger than anybody should read, and rewritten under a good signature', async () => {
    simulator.faults.next('huge');
    const { data, headers } = await client.query(outTradeNo);
    expect(data).toMatchObject({ out_trade_no: outTradeNo });
    expect(Number(headers['content-length'])).toBeGreaterThan(4_000_000);
    simulator.faults.next({ rewrite: (body) => ({ ...body, mchid: '1900000000' }) });
    expect(await client.query(outTradeNo)).toMatchObject({ status: 200, data: { mchid: '1900000000' } });
  });
});

describe('a mode with one key', () => {
  it.each(['certificate', 'public-key'] as const)(
    '%s: answers verify with what the backend is given',
    async (mode) => {
      const single = await startWechatPaySimulator({ mode, clock: SimulatorClock.heldAt(NOW_MS) });
      try {
        single.placeOrder({ outTradeNo: '202601270000000002', totalFen: 1 });
        const reply = await new PluginClient(single).query('202601270000000002');
        expect(reply).toMatchObject({ status: 200, data: { trade_state: 'NOTPAY' } });
        const { env } = single;
        const pem = env.WECHAT_PUBLIC_KEY?.replaceAll('\\n', '\n') ?? '';
        const serial =
          mode === 'certificate' ? new X509Certificate(pem).serialNumber : env.WECHAT_PUBLIC_KEY_ID;
        expect(reply.headers['wechatpay-serial']).toBe(serial);
        const message = Buffer.from('proof');
        const signature = signMessage(message, single.keys.platform[0].privateKey);
        expect(Rsa.verify('proof', signature, pem)).toBe(true);
        expect(env.WECHAT_PRIVATE_KEY).not.toContain('\n');
      } finally {
        await single.close();
      }
    },
  );
});
