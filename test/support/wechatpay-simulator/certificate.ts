import { createPublicKey, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { DAY_MS } from './beijing-time.ts';
import {
  bitString,
  explicit,
  integer,
  nullValue,
  objectId,
  octetString,
  sequence,
  set,
  trueValue,
  utcTime,
  utf8,
} from './der.ts';

const OID = {
  sha256WithRsa: '1.2.840.113549.1.1.11',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  commonName: '2.5.4.3',
  basicConstraints: '2.5.29.19',
} as const;

const VERSION_3 = Buffer.from([2]);
const SERIAL_BYTES = 20;
const LINE_LENGTH = 64;
/** WeChat Pay's certificates are good for five years. */
const VALID_MS = 5 * 365 * DAY_MS;

/** Forty hexadecimal digits without a leading zero, in the capitals that WeChat Pay uses. */
export function makeSerial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = 0x40 | ((bytes[0] ?? 0) & 0x3f);
  return bytes.toString('hex').toUpperCase();
}

/** A self-signed X.509 certificate (version 3, RSA with SHA-256) as PEM. */
export function makeCertificate(from: {
  privateKey: KeyObject;
  serial: string;
  commonName: string;
  validFromMs: number;
}): string {
  const algorithm = sequence(objectId(OID.sha256WithRsa), nullValue());
  const name = sequence(
    attribute(OID.country, 'CN'),
    attribute(OID.organization, 'Simulated Tenpay'),
    attribute(OID.commonName, from.commonName),
  );
  const isNoAuthority = sequence(objectId(OID.basicConstraints), trueValue(), octetString(sequence()));
  const content = sequence(
    explicit(0, integer(VERSION_3)),
    integer(Buffer.from(from.serial, 'hex')),
    algorithm,
    name,
    sequence(utcTime(from.validFromMs), utcTime(from.validFromMs + VALID_MS)),
    name,
    createPublicKey(from.privateKey).export({ format: 'der', type: 'spki' }),
    explicit(3, sequence(isNoAuthority)),
  );
  return toPem(sequence(content, algorithm, bitString(sign('sha256', content, from.privateKey))));
}

function attribute(type: string, value: string): Buffer {
  return set(sequence(objectId(type), utf8(value)));
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(new RegExp(`.{1,${LINE_LENGTH}}`, 'g')) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
