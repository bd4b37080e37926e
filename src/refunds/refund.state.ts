import { nextState } from '../shared/state-machine.js';
import type { StateTable } from '../shared/state-machine.js';

export const REFUND_STATES = ['pending', 'success', 'closed', 'abnormal'] as const;
export type RefundState = (typeof REFUND_STATES)[number];

/** What WeChat Pay says of a refund; `closed` also where it refused the request and knows no such refund. */
export type RefundEvent = 'processing' | 'succeeded' | 'closed' | 'abnormal';

/**
 * `abnormal` left the merchant and did not arrive: an operator sends the money elsewhere, and then it succeeds.
 * WeChat Pay's word always wins: a refund that was given up because it was refused and not known there, or that others
 * called closed, is open again when WeChat Pay says that it has it. Nothing leaves `success`.
 */
export const REFUND_TABLE: StateTable<RefundState, RefundEvent> = {
  pending: { processing: 'pending', succeeded: 'success', closed: 'closed', abnormal: 'abnormal' },
  abnormal: { processing: 'abnormal', succeeded: 'success', closed: 'closed', abnormal: 'abnormal' },
  closed: { processing: 'pending', succeeded: 'success', closed: 'closed', abnormal: 'abnormal' },
  success: { succeeded: 'success' },
};

export function nextRefundState(state: RefundState, event: RefundEvent): RefundState | null {
  return nextState(REFUND_TABLE, state, event);
}
