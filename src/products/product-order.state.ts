import { nextState, statesChangedBy } from '../shared/state-machine.js';
import type { StateTable } from '../shared/state-machine.js';

export const PRODUCT_ORDER_STATES = [
  'pending',
  'paid',
  'exported',
  'shipped',
  'delivered',
  'cancelled',
] as const;
export type ProductOrderState = (typeof PRODUCT_ORDER_STATES)[number];

/** `given_to_workshop`: it stands in a batch, from which its file is made as often as needed. */
export type ProductOrderEvent =
  'payment_recorded' | 'given_to_workshop' | 'shipped' | 'delivered' | 'cancelled';

/** What is on its way is not cancelled: it comes back, or it arrives. */
export const PRODUCT_ORDER_TABLE: StateTable<ProductOrderState, ProductOrderEvent> = {
  pending: { payment_recorded: 'paid', cancelled: 'cancelled' },
  paid: { given_to_workshop: 'exported', cancelled: 'cancelled' },
  exported: { shipped: 'shipped', cancelled: 'cancelled' },
  shipped: { delivered: 'delivered' },
  delivered: {},
  cancelled: {},
};

export function nextProductOrderState(
  state: ProductOrderState,
  event: ProductOrderEvent,
): ProductOrderState | null {
  return nextState(PRODUCT_ORDER_TABLE, state, event);
}

/** The states the matching UPDATE may change, so that the table and the SQL guard cannot differ. */
export function productOrderStatesChangedBy(event: ProductOrderEvent): ProductOrderState[] {
  return statesChangedBy(PRODUCT_ORDER_TABLE, event);
}
