import { createHash } from 'node:crypto';

declare const brand: unique symbol;

/** A merchant order number: a string always, because its 18 digits exceed JavaScript's safe integers. */
export type OutTradeNo = string & { readonly [brand]: 'OutTradeNo' };

/** WeChat Pay allows 6 to 32 of these characters; other lengths up to the column's half are kept rather than refused. */
export const OUT_TRADE_NO_PATTERN = /^[0-9A-Za-z_\-|*@]{1,64}$/;

/** What fits an id column (VARCHAR(36)) without surprising a log line, a URL or a spreadsheet. */
const ID_PATTERN = /^[0-9A-Za-z_.:-]{1,36}$/;

export function isOutTradeNo(value: unknown): value is OutTradeNo {
  return typeof value === 'string' && OUT_TRADE_NO_PATTERN.test(value);
}

export function isId(value: unknown): value is string {
  return typeof value === 'string' && ID_PATTERN.test(value);
}

/** The id of an order that came without one: the same on every repeat, in the callers' `order-{ms}-{random}` shape. */
export function stableOrderId(outTradeNo: OutTradeNo): string {
  return `order-${leadingMs(outTradeNo)}-${shortHash(`order:${outTradeNo}`)}`;
}

/** The id under which the cloud function inserts an order it could not find when the payment arrived. */
export function rescueOrderId(outTradeNo: OutTradeNo): string {
  return `order-${outTradeNo}`;
}

/** The id of the placeholder user that keeps an order nobody claimed: one per order, the same on every repeat. */
export function placeholderUserId(outTradeNo: OutTradeNo): string {
  return `user-${leadingMs(outTradeNo)}-${shortHash(`ownerless:${outTradeNo}`)}`;
}

/** The id of a user known only by an openid; derived, so that two replicas create the same user. */
export function userIdForOpenid(openid: string): string {
  const hash = createHash('sha256').update(`openid:${openid}`).digest('hex');
  return `user-${hash.slice(0, 28)}`;
}

/** A merchant number starts with the caller's clock in milliseconds; numbers of other shapes get zeros. */
function leadingMs(outTradeNo: OutTradeNo): string {
  return /^\d{13}/.exec(outTradeNo)?.[0] ?? '0'.repeat(13);
}

/** 12 base-36 characters, about 62 bits: with 13 digits in front, collisions are out of reach. */
function shortHash(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  return digest.readBigUInt64BE().toString(36).padStart(13, '0').slice(-12);
}
