import type { RefundOrderToSend, ReportedRefund } from './refunds.types.js';

/** Nothing is known: what was sent may or may not have taken effect, what was asked about may or may not be there. */
export type NoAnswer = {
  readonly kind: 'unknown';
  readonly reason: string;
  readonly words: string;
  /** The least time to wait; 0 when nobody said. */
  readonly pauseMs: number;
  /** An operator must mend the configuration: it does not get better by waiting. */
  readonly isMisconfigured: boolean;
};

/** What came of sending a refund. */
export type ChannelAnswer =
  /** WeChat Pay's own signed word. */
  | { readonly kind: 'reported'; readonly report: ReportedRefund }
  /** Somebody else says that WeChat Pay took it. */
  | { readonly kind: 'relayed'; readonly report: ReportedRefund }
  /** Refused for a business reason, which is not signed: a query confirms it. */
  | { readonly kind: 'refused'; readonly reason: string; readonly words: string }
  /** The merchant's balance does not cover it: the same again later. */
  | { readonly kind: 'not_enough'; readonly words: string }
  | NoAnswer;

/** A door through which refunds leave. Sending again with the same content is the same refund at WeChat Pay. */
export interface RefundChannel {
  send(order: RefundOrderToSend): Promise<ChannelAnswer>;
}
