import { generateKeyPair, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { DAY_MS } from './beijing-time.ts';
import { makeCertificate, makeSerial } from './certificate.ts';

/**
 * With what WeChat Pay signs: a platform certificate (older merchants), a public key (newer ones), or both, as for the
 * days in which a merchant is moved from one to the other.
 */
export const MODES = ['certificate', 'public-key', 'switching'] as const;
export type Mode = (typeof MODES)[number];

export type PlatformKeyKind = 'certificate' | 'public-key';

export type PlatformKey = {
  readonly kind: PlatformKeyKind;
  /** What stands in Wechatpay-Serial: the certificate's serial, or PUB_KEY_ID_ and digits. */
  readonly serial: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** What the merchant is given to verify with. */
  readonly pem: string;
};

export type Merchant = {
  readonly appid: string;
  readonly mchid: string;
  readonly serial: string;
  readonly privateKey: KeyObject;
  readonly privateKeyPem: string;
  readonly publicKey: KeyObject;
  readonly apiv3Key: string;
};

export type SimulatorKeys = {
  readonly merchant: Merchant;
  /** The first one signs what nobody asked to be signed with another. */
  readonly platform: readonly [PlatformKey, ...PlatformKey[]];
};

const RSA_BITS = 2048;
/** A certificate that begins this second would not be valid yet for a reader whose clock is a little behind. */
const VALID_BEFORE_MS = DAY_MS;

const generate = promisify(generateKeyPair);

export async function makeKeys(mode: Mode, nowMs: number): Promise<SimulatorKeys> {
  const merchant = await makeMerchant();
  if (mode === 'certificate') return { merchant, platform: [await makeCertificateKey(nowMs)] };
  if (mode === 'public-key') return { merchant, platform: [await makePublicKey()] };
  return { merchant, platform: [await makeCertificateKey(nowMs), await makePublicKey()] };
}

export function findKey(keys: SimulatorKeys, kind: PlatformKeyKind): PlatformKey | undefined {
  return keys.platform.find((key) => key.kind === kind);
}

/** The variables that connect a backend to the simulator, PEM line ends written as \n as in most deployments. */
export function toEnvironment(keys: SimulatorKeys, baseUrl: string): Record<string, string> {
  const publicKey = findKey(keys, 'public-key');
  return {
    WECHAT_APPID: keys.merchant.appid,
    WECHAT_MCHID: keys.merchant.mchid,
    WECHAT_SERIAL_NO: keys.merchant.serial,
    WECHAT_PRIVATE_KEY: onOneLine(keys.merchant.privateKeyPem),
    WECHAT_APIV3_KEY: keys.merchant.apiv3Key,
    WECHAT_PUBLIC_KEY: onOneLine(keys.platform.map(({ pem }) => pem).join('')),
    ...(publicKey && { WECHAT_PUBLIC_KEY_ID: publicKey.serial }),
    WECHAT_API_BASE_URL: baseUrl,
  };
}

function onOneLine(pem: string): string {
  return pem.trim().replaceAll('\n', '\\n');
}

async function makeMerchant(): Promise<Merchant> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: RSA_BITS });
  return {
    appid: `wx${randomBytes(8).toString('hex')}`,
    mchid: `19${randomDigits(8)}`,
    serial: makeSerial(),
    privateKey,
    privateKeyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    publicKey,
    apiv3Key: randomBytes(16).toString('hex'),
  };
}

async function makeCertificateKey(nowMs: number): Promise<PlatformKey> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: RSA_BITS });
  const serial = makeSerial();
  const pem = makeCertificate({
    privateKey,
    serial,
    commonName: 'Simulated WeChat Pay platform',
    validFromMs: nowMs - VALID_BEFORE_MS,
  });
  return { kind: 'certificate', serial, privateKey, publicKey, pem };
}

async function makePublicKey(): Promise<PlatformKey> {
  const { privateKey, publicKey } = await generate('rsa', { modulusLength: RSA_BITS });
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  return { kind: 'public-key', serial: `PUB_KEY_ID_${randomDigits(34)}`, privateKey, publicKey, pem };
}

export function randomDigits(count: number): string {
  return Array.from(randomBytes(count), (byte) => byte % 10).join('');
}
