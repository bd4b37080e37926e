import type { OrderFilter } from './orders.types.js';

/**
 * The indexes that orders are listed by. Each road reads one of them in its order from a place on, so that a deep page
 * costs what the first one does; filters that the index does not know are checked on the rows it leads to.
 */
export type OrderRoad = {
  readonly name: string;
  /** Where the index is read. */
  readonly from: string;
  /** What else the order's row takes. */
  readonly join: string;
  /** The condition that the road is made for, if it is a fixed one. */
  readonly fixed: string;
  /** The filters that the index answers. */
  readonly answers: readonly (keyof OrderFilter)[];
  readonly at: string;
  readonly id: string;
  /** At most one order, or a handful: there is nothing to bound. */
  readonly isShort: boolean;
};

const CREATED = { join: '', fixed: 'TRUE', at: 'o.created_at', id: 'o.id', isShort: false } as const;
const CREATED_TIMES = ['createdFrom', 'createdTo'] as const;

const BY_CREATION: OrderRoad = {
  ...CREATED,
  name: 'created',
  from: 'payment_orders o FORCE INDEX (idx_payment_orders_created)',
  answers: CREATED_TIMES,
};

/** The most selective first: the first one whose filter is asked for is taken. */
const ROADS: readonly { readonly when: (filter: OrderFilter) => boolean; readonly road: OrderRoad }[] = [
  {
    when: ({ outTradeNo }) => outTradeNo !== undefined,
    road: { ...CREATED, name: 'number', from: 'payment_orders o', answers: ['outTradeNo'], isShort: true },
  },
  {
    when: ({ transactionId }) => transactionId !== undefined,
    road: {
      ...CREATED,
      name: 'transaction',
      // The index on the transaction may have another name on tables that were there before: those that it is not are named.
      from: `payment_orders o IGNORE INDEX (idx_payment_orders_created, idx_payment_orders_status_created,
        idx_payment_orders_user_created, idx_payment_orders_paid)`,
      answers: ['transactionId'],
      isShort: true,
    },
  },
  {
    when: ({ userId }) => userId !== undefined,
    road: {
      ...CREATED,
      name: 'user',
      from: 'payment_orders o FORCE INDEX (idx_payment_orders_user_created)',
      answers: ['userId', ...CREATED_TIMES],
    },
  },
  {
    when: ({ held }) => held === true,
    road: {
      name: 'held',
      from: 'exceptions e FORCE INDEX (idx_exceptions_kind_status)',
      join: 'STRAIGHT_JOIN payment_orders o ON o.out_trade_no = e.subject',
      fixed: "e.kind = 'payment_held' AND e.status = 'open'",
      answers: ['held'],
      at: 'e.opened_at',
      id: 'e.id',
      isShort: false,
    },
  },
  {
    when: ({ paidFrom, paidTo }) => paidFrom !== undefined || paidTo !== undefined,
    road: {
      ...CREATED,
      name: 'paid',
      from: 'payment_orders o FORCE INDEX (idx_payment_orders_paid)',
      answers: ['paidFrom', 'paidTo'],
      at: 'o.paid_at',
    },
  },
  {
    when: ({ status }) => status !== undefined,
    road: {
      ...CREATED,
      name: 'status',
      from: 'payment_orders o FORCE INDEX (idx_payment_orders_status_created)',
      answers: ['status', ...CREATED_TIMES],
    },
  },
];

export function roadOf(filter: OrderFilter): OrderRoad {
  return ROADS.find(({ when }) => when(filter))?.road ?? BY_CREATION;
}

/** True when rows must be looked at to know whether they are wanted. */
export function checksRows(road: OrderRoad, filter: OrderFilter): boolean {
  return (Object.keys(filter) as (keyof OrderFilter)[]).some(
    (key) => filter[key] !== undefined && !road.answers.includes(key),
  );
}
