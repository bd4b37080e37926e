import { createCipheriv, createSecretKey, generateKeyPairSync, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openCallback } from './wechatpay-callback.js';
import { WechatpayCallbackRefused } from './wechatpay.types.js';
import type { ReceivedCallback } from './wechatpay.types.js';

type Vectors = {
  notify_verify: {
    certificate_pem: string;
    headers: Record<string, string>;
    body: string;
    freeze_clock_to: number;
    resource_key_utf8: string;
  }[];
};

const vectors = JSON.parse(
  readFileSync(new URL('./published-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const secret = (text: string) => createSecretKey(Buffer.from(text, 'utf8'));

const NOW_MS = Date.UTC(2026, 0, 27, 2);
const MERCHANT = { appid: 'wx1234567890abcdef', mchid: '1234567890' };
const API_V3_KEY = 'the-32-byte-key-of-this-test-000';
const SERIAL = 'PUB_KEY_ID_0112345678902026012700000000000001';
const platform = generateKeyPairSync('rsa', { modulusLength: 2048 });
const trust = {
  platformKeys: new Map([[SERIAL, platform.publicKey]]),
  apiV3Key: secret(API_V3_KEY),
  merchant: MERCHANT,
  nowMs: NOW_MS,
};

const PAYMENT = {
  ...MERCHANT,
  out_trade_no: '170634567890112345',
  transaction_id: '4200002026012712345678901234',
  trade_type: 'JSAPI',
  trade_state: 'SUCCESS',
  trade_state_desc: '支付成功',
  success_time: '2026-01-27T10:00:00+08:00',
  payer: { openid: 'oTheOpenidOfThisTestOnly0001' },
  amount: { total: 2990, payer_total: 2490, currency: 'CNY', payer_currency: 'CNY' },
};
const REFUND = {
  mchid: MERCHANT.mchid,
  out_trade_no: PAYMENT.out_trade_no,
  transaction_id: PAYMENT.transaction_id,
  out_refund_no: 'refund-1',
  refund_id: '50000000382019052709732678859',
  refund_status: 'SUCCESS',
  success_time: '2026-01-28T10:00:00+08:00',
  user_received_account: '招商银行信用卡0403',
  amount: { total: 2990, refund: 1000, payer_total: 2490, payer_refund: 833 },
};

type Changes = {
  event?: string;
  originalType?: string;
  algorithm?: string;
  associatedData?: string | undefined;
  key?: string;
};

function seal(content: unknown, key: string, associatedData: string): string {
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(key), 'nonce-of-12b');
  cipher.setAAD(Buffer.from(associatedData));
  const sealed = [cipher.update(JSON.stringify(content), 'utf8'), cipher.final(), cipher.getAuthTag()];
  return Buffer.concat(sealed).toString('base64');
}

function signed(body: string): ReceivedCallback {
  const timestamp = String(NOW_MS / 1000);
  const message = `${timestamp}\nheader-nonce\n${body}\n`;
  return {
    headers: {
      'wechatpay-timestamp': timestamp,
      'wechatpay-nonce': 'header-nonce',
      'wechatpay-serial': SERIAL,
      'wechatpay-signature': sign('RSA-SHA256', Buffer.from(message), platform.privateKey).toString('base64'),
    },
    rawBody: Buffer.from(body),
  };
}

function callback(content: unknown, changes: Changes = {}): ReceivedCallback {
  const { event = 'TRANSACTION.SUCCESS' } = changes;
  const originalType = changes.originalType ?? (event.startsWith('REFUND') ? 'refund' : 'transaction');
  const associatedData = 'associatedData' in changes ? changes.associatedData : originalType;
  return signed(
    JSON.stringify({
      id: 'EV-1',
      create_time: '2026-01-27T10:00:01+08:00',
      resource_type: 'encrypt-resource',
      event_type: event,
      summary: '支付成功',
      resource: {
        original_type: originalType,
        algorithm: changes.algorithm ?? 'AEAD_AES_256_GCM',
        ciphertext: seal(content, changes.key ?? API_V3_KEY, associatedData ?? ''),
        nonce: 'nonce-of-12b',
        associated_data: associatedData,
      },
    }),
  );
}

function refusalOf(received: ReceivedCallback, changes: Partial<typeof trust> = {}): string {
  try {
    openCallback(received, { ...trust, ...changes });
  } catch (error) {
    if (error instanceof WechatpayCallbackRefused) return error.refusal;
    throw error;
  }
  return 'accepted';
}

describe('openCallback', () => {
  it('reads a payment: the order amount and the time of payment', () => {
    expect(openCallback(callback(PAYMENT), trust)).toMatchObject({
      kind: 'payment',
      id: 'EV-1',
      order: {
        state: 'paid',
        tradeState: 'SUCCESS',
        outTradeNo: PAYMENT.out_trade_no,
        transactionId: PAYMENT.transaction_id,
        tradeType: 'JSAPI',
        amount: { fen: 2990 },
        paidAt: new Date('2026-01-27T02:00:00Z'),
        openid: PAYMENT.payer.openid,
      },
    });
  });

  it.each([
    ['REFUND.SUCCESS', 'SUCCESS', '2026-01-28T10:00:00+08:00'],
    ['REFUND.ABNORMAL', 'ABNORMAL', undefined],
    ['REFUND.CLOSED', 'CLOSED', undefined],
  ])('reads a refund of %s', (event, status, successTime) => {
    const content = { ...REFUND, refund_status: status, success_time: successTime };
    expect(openCallback(callback(content, { event }), trust)).toMatchObject({
      kind: 'refund',
      refund: {
        outRefundNo: 'refund-1',
        status,
        refundAmount: { fen: 1000 },
        orderAmount: { fen: 2990 },
        succeededAt: successTime ? new Date(successTime) : null,
      },
    });
  });

  it.each([undefined, ''])('takes missing associated data for empty (%s)', (associatedData) => {
    expect(openCallback(callback(PAYMENT, { associatedData }), trust).kind).toBe('payment');
  });

  it('verifies the published callback before it looks at the event, which is none of ours', () => {
    const [published] = vectors.notify_verify;
    if (!published) throw new Error('the published vectors are not complete');
    const certificate = new X509Certificate(published.certificate_pem);
    const received = {
      headers: Object.fromEntries(
        Object.entries(published.headers).map(([name, value]) => [name.toLowerCase(), value]),
      ),
      rawBody: Buffer.from(published.body),
    };
    const theirTrust = {
      platformKeys: new Map([[certificate.serialNumber, certificate.publicKey]]),
      apiV3Key: secret(published.resource_key_utf8),
      nowMs: published.freeze_clock_to * 1000,
    };
    expect(refusalOf(received, theirTrust)).toBe('unsupported_event');
    expect(refusalOf({ ...received, rawBody: Buffer.from('{}') }, theirTrust)).toBe('bad_signature');
    expect(refusalOf(received, { ...theirTrust, nowMs: theirTrust.nowMs + 300_000 })).toBe('expired');
  });

  it('refuses a forged, probing, replayed or foreign signature', () => {
    const good = callback(PAYMENT);
    const withHeader = (name: string, value: string | undefined) => ({
      ...good,
      headers: { ...good.headers, [name]: value },
    });
    const probe = `WECHATPAY/SIGNTEST/${String(good.headers['wechatpay-signature']).slice(19)}`;
    expect(refusalOf(withHeader('wechatpay-signature', probe))).toBe('bad_signature');
    expect(refusalOf(withHeader('wechatpay-signature', undefined))).toBe('headers_missing');
    expect(refusalOf(withHeader('wechatpay-serial', 'PUB_KEY_ID_1'))).toBe('unknown_serial');
    expect(refusalOf(good, { nowMs: NOW_MS + 300_000 })).toBe('expired');
    expect(refusalOf({ ...good, rawBody: good.rawBody.subarray(0, 100) })).toBe('bad_signature');
    expect(refusalOf({ ...good, rawBody: Buffer.from(JSON.stringify(PAYMENT)) })).toBe('bad_signature');
  });

  it('refuses what was encrypted with another key or algorithm', () => {
    const otherKey = callback(PAYMENT, { key: 'another-32-byte-key-of-this-test' });
    expect(refusalOf(otherKey)).toBe('unreadable');
    for (const algorithm of ['AEAD_AES_128_GCM', 'AEAD_SM4_GCM', 'aead_aes_256_gcm', 'none']) {
      expect(refusalOf(callback(PAYMENT, { algorithm }))).toBe('unreadable');
    }
    expect(refusalOf(callback(PAYMENT), { apiV3Key: secret('a-16-byte-key-00') })).toBe('unreadable');
  });

  it('refuses a message for another merchant or app', () => {
    expect(refusalOf(callback({ ...PAYMENT, mchid: '1900000001' }))).toBe('wrong_merchant');
    expect(refusalOf(callback({ ...PAYMENT, appid: 'wx0000000000000000' }))).toBe('wrong_merchant');
    expect(refusalOf(callback({ ...REFUND, mchid: '1900000001' }, { event: 'REFUND.SUCCESS' }))).toBe(
      'wrong_merchant',
    );
  });

  it.each([
    ['a foreign currency', { amount: { ...PAYMENT.amount, currency: 'USD' } }],
    ['no currency', { amount: { total: 2990 } }],
    ['no amount', { amount: undefined }],
    ['nothing paid', { amount: { ...PAYMENT.amount, total: 0 } }],
    ['a negative amount', { amount: { ...PAYMENT.amount, total: -1 } }],
    ['parts of a fen', { amount: { ...PAYMENT.amount, total: 29.9 } }],
    ['an amount in text', { amount: { ...PAYMENT.amount, total: '2990' } }],
    ['a state that is no payment', { trade_state: 'NOTPAY' }],
    ['an unknown state', { trade_state: 'PAID' }],
    ['no transaction', { transaction_id: '' }],
    ['no time of payment', { success_time: undefined }],
    ['a time without zone', { success_time: '2026-01-27T10:00:00' }],
    ['an order number that is none', { out_trade_no: "1' OR 1=1" }],
    ['an order number that is a number', { out_trade_no: 1706345678901 }],
    ['a payer that is no object', { payer: 'o123' }],
  ])('refuses a payment with %s', (_what, changes) => {
    expect(refusalOf(callback({ ...PAYMENT, ...changes }))).toBe('unreadable');
  });

  it.each([
    ['a status that is not that of the event', { refund_status: 'CLOSED' }],
    ['more than was paid', { amount: { ...REFUND.amount, refund: 2991 } }],
    ['nothing', { amount: { ...REFUND.amount, refund: 0 } }],
    ['no number', { out_refund_no: undefined }],
  ])('refuses a refund of %s', (_what, changes) => {
    expect(refusalOf(callback({ ...REFUND, ...changes }, { event: 'REFUND.SUCCESS' }))).toBe('unreadable');
  });

  it('refuses a payment dressed as a refund, and an event it does not know', () => {
    expect(refusalOf(callback(PAYMENT, { event: 'REFUND.SUCCESS' }))).toBe('unreadable');
    expect(refusalOf(callback(PAYMENT, { originalType: 'refund' }))).toBe('unreadable');
    expect(refusalOf(callback(PAYMENT, { event: 'TRANSACTION.FAIL' }))).toBe('unsupported_event');
  });

  it.each([
    '',
    'null',
    '[]',
    '"text"',
    '{"id":"EV-1"}',
    '{"id":"EV-1","event_type":"TRANSACTION.SUCCESS"}',
    '{',
  ])('refuses the signed body %s without throwing anything else', (body) => {
    expect(refusalOf(signed(body))).toBe('unreadable');
  });

  it('says nothing of the content when it refuses', () => {
    const content = { ...PAYMENT, amount: { ...PAYMENT.amount, currency: 'CANARY' }, success_time: 'CANARY' };
    expect(() => openCallback(callback(content), trust)).toThrow(WechatpayCallbackRefused);
    try {
      openCallback(callback(content), trust);
    } catch (error) {
      const { message, stack } = error as Error;
      expect(`${message}${stack}`).not.toMatch(/CANARY|oTheOpenid/);
    }
  });
});
