import type { Money } from '../shared/money.js';
import { PRODUCT_ORDER_STATES as STATES } from './product-order.state.js';
import type { ProductOrderState } from './product-order.state.js';

export const PRODUCT_ORDER_STATES: readonly ProductOrderState[] = STATES;

export type ProductOrderRecord = {
  readonly id: string;
  readonly userId: string;
  readonly generationId: string | null;
  readonly productType: string;
  /** Null when the table's value is no amount. */
  readonly price: Money | null;
  readonly shippingName: string | null;
  readonly shippingPhone: string | null;
  readonly shippingAddress: string | null;
  readonly status: ProductOrderState;
  /** The batch in which it went to the workshop. */
  readonly batchId: string | null;
  readonly createdAt: Date | null;
  readonly updatedAt: Date | null;
};

export type ProductOrderFilter = {
  readonly status?: string;
  readonly userId?: string;
  /** Included. */
  readonly from?: Date;
  /** Not included. */
  readonly to?: Date;
};

/** What an operator may say of an order; going to the workshop happens by a batch alone. */
export const SETTABLE_STATES = ['paid', 'shipped', 'delivered', 'cancelled'] as const;
export type SettableState = (typeof SETTABLE_STATES)[number];

export type WorkshopBatch = {
  readonly id: string;
  readonly orderIds: readonly string[];
};

/** One read of the workshop's file, and of the lines of a batch: a person prints and packs them. */
export const BATCH_ORDERS_MAX = 500;
