/** Just enough DER (X.690) to write a certificate: node:crypto reads certificates and makes none. */

const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectId: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
} as const;

const SHORT_LENGTH_MAX = 0x7f;

export function sequence(...parts: readonly Buffer[]): Buffer {
  return wrap(TAG.sequence, Buffer.concat(parts));
}

export function set(...parts: readonly Buffer[]): Buffer {
  return wrap(TAG.set, Buffer.concat(parts));
}

/** @param bytes big-endian; the first bit must not be set, a certificate knows no negative numbers */
export function integer(bytes: Buffer): Buffer {
  return wrap(TAG.integer, bytes);
}

export function trueValue(): Buffer {
  return wrap(TAG.boolean, Buffer.from([0xff]));
}

export function nullValue(): Buffer {
  return wrap(TAG.null, Buffer.alloc(0));
}

export function utf8(text: string): Buffer {
  return wrap(TAG.utf8String, Buffer.from(text, 'utf8'));
}

export function octetString(bytes: Buffer): Buffer {
  return wrap(TAG.octetString, bytes);
}

/** Whole bytes only: no unused bits at the end. */
export function bitString(bytes: Buffer): Buffer {
  return wrap(TAG.bitString, Buffer.concat([Buffer.from([0]), bytes]));
}

/** A time of the years 1950 to 2049, which is as far as this form reaches. */
export function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().slice(2, 19).replace(/[-T:]/g, '');
  return wrap(TAG.utcTime, Buffer.from(`${digits}Z`, 'ascii'));
}

export function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return wrap(TAG.objectId, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** A value under a number of its own, as the version and the extensions of a certificate are. */
export function explicit(number: number, content: Buffer): Buffer {
  return wrap(0xa0 + number, content);
}

function wrap(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

function lengthBytes(length: number): number[] {
  if (length <= SHORT_LENGTH_MAX) return [length];
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return [0x80 | bytes.length, ...bytes];
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let rest = value >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}
