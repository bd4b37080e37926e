import { WechatpayError } from './wechatpay.types.js';

/** What WeChat Pay allows in each of its numbers. Narrower than our columns: rows of others may hold anything. */
const PATTERNS = {
  outTradeNo: /^[0-9A-Za-z_\-|*]{6,32}$/,
  transactionId: /^[0-9A-Za-z]{1,32}$/,
  outRefundNo: /^[0-9A-Za-z_\-|*@]{1,64}$/,
  refundId: /^[0-9A-Za-z]{1,32}$/,
  billDate: /^\d{4}-\d{2}-\d{2}$/,
} as const;

/**
 * The number as it may stand in a body. A number that WeChat Pay cannot know is not sent: it would be refused
 * like a fault of the configuration, and one with `/` or `?` in it would ask for something else.
 * @throws WechatpayError of outcome `final`
 */
export function requireMatch(name: keyof typeof PATTERNS, value: string): string {
  if (PATTERNS[name].test(value)) return value;
  throw new WechatpayError('final', {
    reason: 'impossible_number',
    message: `WeChat Pay cannot know this ${name}: it is not of the form ${PATTERNS[name].source}.`,
  });
}

/** {@link requireMatch}, written as one part of a path. */
export function pathPart(name: keyof typeof PATTERNS, value: string): string {
  return encodeURIComponent(requireMatch(name, value));
}
