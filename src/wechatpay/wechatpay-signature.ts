import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** WeChat Pay's own tools refuse from exactly five minutes on; its redeliveries are signed anew, so none is lost by this. */
const SIGNATURE_AGE_MS_LIMIT = 300_000;

const SIGNATURE_TYPE = 'WECHATPAY2-SHA256-RSA2048';
const TIMESTAMP_PATTERN = /^\d{1,12}$/;
/** Far more than any of these headers has, so that nobody makes us hash a book. */
const HEADER_LENGTH_MAX = 1024;

export type SignatureVerdict = 'valid' | 'headers_missing' | 'expired' | 'unknown_serial' | 'bad_signature';

export type SignedMessage = {
  /** Names in small letters, as Node gives them. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** The bytes that were sent: a parsed and re-written body has another signature. */
  readonly rawBody: Buffer;
};

export type SignatureTrust = {
  readonly platformKeys: ReadonlyMap<string, KeyObject>;
  readonly nowMs: number;
};

/**
 * Whether WeChat Pay signed this answer or callback just now. The key is the one `Wechatpay-Serial` names and no other:
 * trying all keys would accept a key that was withdrawn.
 */
export function checkSignature(message: SignedMessage, trust: SignatureTrust): SignatureVerdict {
  const timestamp = headerText(message, 'wechatpay-timestamp');
  const nonce = headerText(message, 'wechatpay-nonce');
  const serial = headerText(message, 'wechatpay-serial');
  const signature = headerText(message, 'wechatpay-signature');
  if (!timestamp || !nonce || !serial || !signature || !TIMESTAMP_PATTERN.test(timestamp)) {
    return 'headers_missing';
  }
  if (Math.abs(trust.nowMs - Number(timestamp) * 1000) >= SIGNATURE_AGE_MS_LIMIT) return 'expired';
  const key = trust.platformKeys.get(serial);
  if (!key) return 'unknown_serial';
  const signatureType = message.headers['wechatpay-signature-type'];
  if (signatureType !== undefined && signatureType !== SIGNATURE_TYPE) return 'bad_signature';
  const signed = Buffer.concat([Buffer.from(`${timestamp}\n${nonce}\n`), message.rawBody, Buffer.from('\n')]);
  return verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64')) ? 'valid' : 'bad_signature';
}

/** A header sent twice is no header of WeChat Pay. */
function headerText(message: SignedMessage, name: string): string | null {
  const value = message.headers[name];
  return typeof value === 'string' && value.length <= HEADER_LENGTH_MAX ? value : null;
}
