import { nextState, statesChangedBy } from '../shared/state-machine.js';
import type { StateTable } from '../shared/state-machine.js';

export const PAYMENT_ORDER_STATES = ['pending', 'paid', 'failed', 'refunded'] as const;
export type PaymentOrderState = (typeof PAYMENT_ORDER_STATES)[number];

/** `payment_proven`: somebody who may say so says the money came. `closed`: WeChat Pay will take no money any more. */
export type PaymentOrderEvent = 'payment_proven' | 'closed' | 'fully_refunded';

/**
 * Evidence of payment always wins, also over `failed`: the customer can pay between the last query and the
 * close. Nothing leaves `refunded`.
 */
export const PAYMENT_ORDER_TABLE: StateTable<PaymentOrderState, PaymentOrderEvent> = {
  pending: { payment_proven: 'paid', closed: 'failed' },
  paid: { payment_proven: 'paid', fully_refunded: 'refunded' },
  failed: { payment_proven: 'paid', closed: 'failed' },
  refunded: { payment_proven: 'refunded', fully_refunded: 'refunded' },
};

export function nextPaymentOrderState(
  state: PaymentOrderState,
  event: PaymentOrderEvent,
): PaymentOrderState | null {
  return nextState(PAYMENT_ORDER_TABLE, state, event);
}

/** The states the matching UPDATE may change, so that the table and the SQL guard cannot differ. */
export function paymentOrderStatesChangedBy(event: PaymentOrderEvent): PaymentOrderState[] {
  return statesChangedBy(PAYMENT_ORDER_TABLE, event);
}
