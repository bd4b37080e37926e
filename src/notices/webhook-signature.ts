import { createHmac } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** Names the way of signing, so that another one can come beside it. */
const SIGNATURE_VERSION = 'v1';

export type SignedNotice = {
  /** Unix seconds of this try: a receiver refuses old ones, so that what somebody recorded cannot be played again. */
  readonly timestampSeconds: number;
  readonly rawBody: string;
};

/** `v1=` and the HMAC-SHA256, in hexadecimal, over the timestamp, a dot, and the body as sent. */
export function signNotice({ timestampSeconds, rawBody }: SignedNotice, secret: KeyObject): string {
  const signed = `${timestampSeconds}.${rawBody}`;
  return `${SIGNATURE_VERSION}=${createHmac('sha256', secret).update(signed, 'utf8').digest('hex')}`;
}
