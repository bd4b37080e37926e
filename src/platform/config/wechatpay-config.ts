import { createPrivateKey, createPublicKey, createSecretKey, X509Certificate } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { EnvReader } from './env-reader.js';
import { readBaseUrl } from './url-reader.js';

const WECHATPAY_API_BASE_URL = 'https://api.mch.weixin.qq.com';

/**
 * What the WeChat Pay channel needs, parsed and checked. Secrets are kept as key objects, which print as their type
 * only: a log line or an error that swallows this object by mistake shows no key.
 */
export type WechatpayConfig = {
  readonly appid: string;
  readonly mchid: string;
  /** The serial number of the merchant's API certificate, upper-case hexadecimal. */
  readonly merchantSerial: string;
  readonly merchantPrivateKey: KeyObject;
  /** 32 bytes: decrypts what WeChat Pay sends to the callbacks. */
  readonly apiV3Key: KeyObject;
  /** WeChat Pay's public keys by the `Wechatpay-Serial` that names them; two of them during a switch. */
  readonly platformKeys: ReadonlyMap<string, KeyObject>;
  /** The serial of the newest platform key: WeChat Pay is asked to sign its answers with that one. */
  readonly platformSerial: string;
  /** Scheme and host, without a final slash. */
  readonly apiBaseUrl: string;
};

/** Any of these says that the channel is meant to be used; then all that is needed must be there. */
const MERCHANT_VARIABLES = [
  'WECHAT_MCHID',
  'WECHAT_SERIAL_NO',
  'WECHAT_PRIVATE_KEY',
  'WECHAT_APIV3_KEY',
  'WECHAT_PUBLIC_KEY',
  'WECHAT_PUBLIC_KEY_ID',
] as const;

const APPID_PATTERN = /^[0-9A-Za-z_-]{1,32}$/;
const MCHID_PATTERN = /^\d{1,32}$/;
const SERIAL_PATTERN = /^[0-9A-Fa-f]{1,40}$/;
const PUBLIC_KEY_ID_PATTERN = /^PUB_KEY_ID_[0-9A-Za-z]{1,64}$/;
const APIV3_KEY_BYTES = 32;
/** WeChat Pay signs and encrypts with RSA of this size; a shorter key is not one of its keys. */
const RSA_BITS_MIN = 2048;
const PEM_BLOCK_PATTERN = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g;

/** Null when the channel is not configured. What is wrong goes to `read.problems`, by variable and never by value. */
export function readWechatpay(read: EnvReader): WechatpayConfig | null {
  if (!isMeant(read)) return null;
  const problemsBefore = read.problems.length;
  const merchantSerial = matching(
    read,
    'WECHAT_SERIAL_NO',
    SERIAL_PATTERN,
    'the hexadecimal serial number',
  ).toUpperCase();
  const merchantPrivateKey = readMerchantKey(read);
  const platform = readPlatformKeys(read);
  const config = {
    appid: matching(read, 'WECHAT_APPID', APPID_PATTERN, 'the appid of the mini program'),
    mchid: matching(read, 'WECHAT_MCHID', MCHID_PATTERN, 'the digits of the merchant number'),
    merchantSerial,
    apiV3Key: readApiV3Key(read),
    apiBaseUrl: readBaseUrl(read, 'WECHAT_API_BASE_URL', WECHATPAY_API_BASE_URL),
  };
  refuseOwnKeys(read, { merchantSerial, merchantPrivateKey, platformKeys: platform.keys });
  if (read.problems.length > problemsBefore || !merchantPrivateKey || !config.apiV3Key) return null;
  return {
    ...config,
    apiV3Key: config.apiV3Key,
    merchantPrivateKey,
    platformKeys: platform.keys,
    platformSerial: platform.newestSerial,
  };
}

/** WECHAT_APPID alone may be there for the subscribe messages, which need WECHAT_APP_SECRET and no merchant keys. */
function isMeant(read: EnvReader): boolean {
  if (MERCHANT_VARIABLES.some((name) => read.optionalText(name) !== undefined)) return true;
  return read.optionalText('WECHAT_APPID') !== undefined && !read.optionalText('WECHAT_APP_SECRET');
}

function matching(read: EnvReader, name: string, pattern: RegExp, what: string): string {
  const value = read.text(name);
  if (value && !pattern.test(value)) read.problems.push(`${name} is not ${what}`);
  return value;
}

function readMerchantKey(read: EnvReader): KeyObject | null {
  const pem = withLineBreaks(read.text('WECHAT_PRIVATE_KEY'));
  if (!pem) return null;
  try {
    const key = createPrivateKey(pem);
    if (isStrongRsa(key)) return key;
    read.problems.push(`WECHAT_PRIVATE_KEY is not an RSA key of at least ${RSA_BITS_MIN} bits`);
  } catch {
    // The reason is left out on purpose: decoders quote their input.
    read.problems.push(
      'WECHAT_PRIVATE_KEY cannot be read: give the text of apiclient_key.pem, line breaks may be written as \\n',
    );
  }
  return null;
}

function readApiV3Key(read: EnvReader): KeyObject | null {
  const text = read.text('WECHAT_APIV3_KEY');
  if (!text) return null;
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length === APIV3_KEY_BYTES) return createSecretKey(bytes);
  read.problems.push(`WECHAT_APIV3_KEY must be ${APIV3_KEY_BYTES} bytes long, this one has ${bytes.length}`);
  return null;
}

type PlatformKeys = { readonly keys: Map<string, KeyObject>; readonly newestSerial: string };

function readPlatformKeys(read: EnvReader): PlatformKeys {
  const keys = new Map<string, KeyObject>();
  const pem = withLineBreaks(read.text('WECHAT_PUBLIC_KEY'));
  const publicKeyId = read.optionalText('WECHAT_PUBLIC_KEY_ID');
  if (publicKeyId && !PUBLIC_KEY_ID_PATTERN.test(publicKeyId)) {
    read.problems.push('WECHAT_PUBLIC_KEY_ID must look like PUB_KEY_ID_ and digits');
  }
  if (!pem) return { keys, newestSerial: '' };
  const blocks = [...pem.matchAll(PEM_BLOCK_PATTERN)];
  if (blocks.length === 0) read.problems.push('WECHAT_PUBLIC_KEY holds no PEM block');
  let newest = { serial: '', validFromMs: -Infinity };
  for (const [block, label = ''] of blocks) {
    const platformKey = readPlatformKey(read, { block, label, publicKeyId });
    if (!platformKey) continue;
    if (keys.has(platformKey.serial)) {
      read.problems.push(
        'WECHAT_PUBLIC_KEY holds two keys of one name: one certificate each, and one public key',
      );
    }
    keys.set(platformKey.serial, platformKey.key);
    if (platformKey.validFromMs > newest.validFromMs) newest = platformKey;
  }
  if (publicKeyId && blocks.length > 0 && blocks.every(([, label]) => label === 'CERTIFICATE')) {
    read.problems.push('WECHAT_PUBLIC_KEY_ID is set, but WECHAT_PUBLIC_KEY holds no public key');
  }
  return { keys, newestSerial: newest.serial };
}

type PlatformKey = { readonly serial: string; readonly key: KeyObject; readonly validFromMs: number };

function readPlatformKey(
  read: EnvReader,
  from: { block: string; label: string; publicKeyId: string | undefined },
): PlatformKey | null {
  const isPublicKey = isPublicKeyLabel(from.label);
  if (!isPublicKey && from.label !== 'CERTIFICATE') {
    read.problems.push(
      'WECHAT_PUBLIC_KEY may hold certificates and a public key only, and never a private key',
    );
    return null;
  }
  if (isPublicKey && !from.publicKeyId) {
    read.problems.push(
      'WECHAT_PUBLIC_KEY_ID is not set: WECHAT_PUBLIC_KEY holds a public key, which needs its id',
    );
    return null;
  }
  try {
    const platformKey = isPublicKey
      ? // A public key replaces the certificates, so it counts as newer than any of them.
        { serial: from.publicKeyId ?? '', key: createPublicKey(from.block), validFromMs: Infinity }
      : ofCertificate(new X509Certificate(from.block));
    if (isStrongRsa(platformKey.key)) return platformKey;
    read.problems.push(`WECHAT_PUBLIC_KEY holds a key that is not RSA of at least ${RSA_BITS_MIN} bits`);
  } catch {
    read.problems.push('WECHAT_PUBLIC_KEY cannot be read: line breaks may be written as \\n');
  }
  return null;
}

function ofCertificate(certificate: X509Certificate): PlatformKey {
  return {
    serial: certificate.serialNumber.toUpperCase(),
    key: certificate.publicKey,
    validFromMs: certificate.validFromDate.getTime(),
  };
}

/** The merchant's own certificate or key in the place of WeChat Pay's would refuse every answer. */
function refuseOwnKeys(
  read: EnvReader,
  own: { merchantSerial: string; merchantPrivateKey: KeyObject | null; platformKeys: Map<string, KeyObject> },
): void {
  const ownPublicKey = own.merchantPrivateKey && createPublicKey(own.merchantPrivateKey);
  const isOwn = (serial: string, key: KeyObject) =>
    serial === own.merchantSerial || (ownPublicKey?.equals(key) ?? false);
  if ([...own.platformKeys].some(([serial, key]) => isOwn(serial, key))) {
    read.problems.push(
      "WECHAT_PUBLIC_KEY holds the merchant's own key (see WECHAT_SERIAL_NO and WECHAT_PRIVATE_KEY): it must be WeChat Pay's",
    );
  }
}

function isPublicKeyLabel(label: string | undefined): boolean {
  return label === 'PUBLIC KEY' || label === 'RSA PUBLIC KEY';
}

function isStrongRsa(key: KeyObject): boolean {
  return key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= RSA_BITS_MIN;
}

/** Consoles that take one line per variable give a PEM with \n written out. */
function withLineBreaks(text: string): string {
  return text.replace(/\\r/g, '').replace(/\\n/g, '\n');
}
