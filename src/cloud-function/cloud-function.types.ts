import type { OutTradeNo } from '../shared/ids.js';
import type { Money } from '../shared/money.js';

/** A refund as the function `wxpay_refund` is asked for it; every repetition says the same to the letter. */
export type FunctionRefundRequest = {
  readonly outRefundNo: string;
  readonly outTradeNo: OutTradeNo;
  readonly transactionId: string | null;
  readonly refundAmount: Money;
  readonly orderAmount: Money;
  readonly reason: string;
};

/**
 * What the function said. `accepted` only where it names WeChat Pay's own refund id and a status WeChat Pay has; everything
 * else, a refusal in words included, says nothing about what WeChat Pay did: `unknown`.
 */
export type FunctionRefundAnswer =
  | {
      readonly kind: 'accepted';
      readonly refundId: string;
      readonly status: 'PROCESSING' | 'SUCCESS' | 'CLOSED' | 'ABNORMAL';
    }
  | {
      readonly kind: 'unknown';
      /** A short code for programs and logs. */
      readonly reason: string;
      /** The function's own words, bounded and without personal data; empty when there are none. */
      readonly words: string;
    };
