import { createHash, randomBytes } from 'node:crypto';

/** 12 base-36 characters of chance after the clock: two requests in one millisecond do not meet. */
const RANDOM_LENGTH = 12;

/** A number of our own for a new refund, in WeChat Pay's alphabet and well below its 64 characters. */
export function newOutRefundNo(nowMs: number): string {
  const random = randomBytes(8).readBigUInt64BE().toString(36).padStart(RANDOM_LENGTH, '0');
  return `RF${nowMs}${random.slice(-RANDOM_LENGTH)}`;
}

/** The id of a refund's row: the same on every repeat, in the callers' `refund-…` shape and their 36 characters. */
export function refundIdFor(outRefundNo: string): string {
  const hash = createHash('sha256').update(`refund:${outRefundNo}`).digest('hex');
  return `refund-${hash.slice(0, 29)}`;
}
