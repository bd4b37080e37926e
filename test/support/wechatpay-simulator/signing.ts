import { createCipheriv, randomBytes, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { ApiError } from './api-error.ts';
import type { Merchant, PlatformKey } from './keys.ts';

const SCHEME = 'WECHATPAY2-SHA256-RSA2048';
/** How WeChat Pay begins the wrong signatures with which it tests whether a merchant verifies at all. */
const PROBE_PREFIX = 'WECHATPAY/SIGNTEST/';

const REQUEST_AGE_S_MAX = 300;
const SHOWN_MESSAGE_LENGTH_MAX = 100;

/** The lines of a message to sign: each ends with a line feed, the last one too; a body counts byte by byte. */
export function toMessage(lines: readonly string[], body: Buffer): Buffer {
  return Buffer.concat([Buffer.from(lines.map((line) => `${line}\n`).join('')), body, Buffer.from('\n')]);
}

export function signMessage(message: Buffer, privateKey: KeyObject): string {
  return sign('sha256', message, privateKey).toString('base64');
}

export function isSignatureGood(message: Buffer, signature: string, publicKey: KeyObject): boolean {
  return verify('sha256', message, publicKey, Buffer.from(signature, 'base64'));
}

export type SignedHeaders = Record<
  | 'Wechatpay-Timestamp'
  | 'Wechatpay-Nonce'
  | 'Wechatpay-Serial'
  | 'Wechatpay-Signature'
  | 'Wechatpay-Signature-Type',
  string
>;

/** The headers that WeChat Pay puts on a body: an answer's or a notice's. */
export function signBody(body: Buffer, by: { key: PlatformKey; atMs: number }): SignedHeaders {
  const timestamp = String(Math.floor(by.atMs / 1000));
  const nonce = randomBytes(16).toString('hex');
  return {
    'Wechatpay-Timestamp': timestamp,
    'Wechatpay-Nonce': nonce,
    'Wechatpay-Serial': by.key.serial,
    'Wechatpay-Signature': signMessage(toMessage([timestamp, nonce], body), by.key.privateKey),
    'Wechatpay-Signature-Type': SCHEME,
  };
}

/** The same headers with a signature of the usual length that is none. */
export function asProbe(headers: SignedHeaders): SignedHeaders {
  const signature = headers['Wechatpay-Signature'];
  return { ...headers, 'Wechatpay-Signature': PROBE_PREFIX + signature.slice(PROBE_PREFIX.length) };
}

/** The AES-256-GCM resource of a notice: ciphertext and tag in one, with a nonce that is not the header's. */
export function encryptResource(plaintext: string, by: { apiv3Key: string; associatedData: string }) {
  const nonce = randomBytes(6).toString('hex');
  const cipher = createCipheriv('aes-256-gcm', Buffer.from(by.apiv3Key, 'utf8'), nonce);
  cipher.setAAD(Buffer.from(by.associatedData, 'utf8'));
  const encrypted = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return {
    algorithm: 'AEAD_AES_256_GCM',
    ciphertext: encrypted.toString('base64'),
    associated_data: by.associatedData,
    nonce,
  };
}

export type SignedRequest = { method: string; url: string; body: Buffer; authorization: string | undefined };

/** Checks who asks; it remembers the nonces it saw, because a request is good only once. */
export class RequestVerifier {
  private readonly merchant: Merchant;
  private readonly nonceTimesS = new Map<string, number>();

  constructor(merchant: Merchant) {
    this.merchant = merchant;
  }

  /** @throws ApiError 401 SIGN_ERROR */
  verify(request: SignedRequest, nowMs: number): void {
    const claimed = readAuthorization(request.authorization);
    const nowS = Math.floor(nowMs / 1000);
    if (claimed.mchid !== this.merchant.mchid) throw signError('商户号有误');
    if (claimed.serialNo !== this.merchant.serial) {
      throw signError('商户证书序列号有误。请使用签名私钥匹配的证书序列号');
    }
    if (Math.abs(nowS - Number(claimed.timestamp)) > REQUEST_AGE_S_MAX) {
      throw signError('Http头Authorization中的timestamp与发起请求的时间不得超过5分钟');
    }
    const message = toMessage([request.method, request.url, claimed.timestamp, claimed.nonce], request.body);
    if (!isSignatureGood(message, claimed.signature, this.merchant.publicKey)) {
      throw signError('错误的签名，验签失败', describe(request, message));
    }
    this.useUp(claimed.nonce, nowS);
  }

  private useUp(nonce: string, nowS: number): void {
    for (const [old, seenS] of this.nonceTimesS) {
      if (nowS - seenS <= 2 * REQUEST_AGE_S_MAX) break;
      this.nonceTimesS.delete(old);
    }
    if (this.nonceTimesS.has(nonce)) throw signError('Http头Authorization中的nonce_str重复');
    this.nonceTimesS.set(nonce, nowS);
  }
}

function readAuthorization(header: string | undefined) {
  if (!header) throw signError('Http头Authorization值为空');
  if (!header.startsWith(`${SCHEME} `)) throw signError('Http头Authorization认证类型不正确');
  const fields = new Map<string, string>();
  for (const part of header.slice(SCHEME.length + 1).split(',')) {
    const [, name, value] = /^\s*(\w+)="([^"]*)"\s*$/.exec(part) ?? [];
    if (!name || !value) throw signError('Http头Authorization值格式错误');
    fields.set(name, value);
  }
  const take = (name: string): string => {
    const value = fields.get(name);
    if (!value) throw signError(`Http头Authorization值格式错误，缺少${name}`);
    return value;
  };
  const timestamp = take('timestamp');
  if (!/^\d{1,12}$/.test(timestamp)) throw signError('Http头Authorization中的timestamp格式错误');
  return {
    mchid: take('mchid'),
    serialNo: take('serial_no'),
    timestamp,
    nonce: take('nonce_str'),
    signature: take('signature'),
  };
}

function describe(request: SignedRequest, message: Buffer) {
  return {
    field: 'signature',
    issue: 'sign not match',
    location: 'authorization',
    sign_information: {
      method: request.method,
      url: request.url,
      truncated_sign_message: message.toString('utf8').slice(0, SHOWN_MESSAGE_LENGTH_MAX),
      sign_message_length: message.length,
    },
  };
}

function signError(message: string, detail?: unknown): ApiError {
  return new ApiError({ status: 401, code: 'SIGN_ERROR', message, detail });
}
