import { DIRECT_ORDER, ORDER, REFUND } from './clean-run.ts';
import type { RunBuilder } from './run-builder.ts';
import type { Invariant } from './verdict.ts';

/** What must be found, and how it comes about in a clean run. */
export type Break = readonly [Invariant, string, (run: RunBuilder) => void];

const extraLine = (extra: object) => ({
  id: '9',
  entry: 'grant',
  origin: 'payment',
  user_id: 'user-1',
  package_type: 'basic',
  regenerate_delta: '0',
  transaction_id: null,
  granted_by: 'system:sweep',
  ...extra,
});
const settle = (extra: object) => ({
  out_refund_no: 'RF2',
  out_trade_no: DIRECT_ORDER,
  origin: 'operator',
  refund_fen: '2990',
  order_fen: '2990',
  idempotency_key: 'k2',
  status: 'pending',
  stage: 'requested',
  ...extra,
});

/** Each way in which the rows of a run can be wrong, one by one. */
export const BREAKS_OF_ROWS: readonly Break[] = [
  ['I1', 'the row of an acknowledged order is missing', (run) => run.lose('payment_orders', ORDER)],
  ['I1', 'it has another amount', (run) => run.falsify('payment_orders', ORDER, { amount: '29.91' })],
  ['I1', 'it has another package', (run) => run.falsify('payment_orders', ORDER, { package_type: 'basic' })],
  ['I1', 'it belongs to somebody else', (run) => run.falsify('payment_orders', ORDER, { user_id: 'user-2' })],
  ['I2', 'the notice had no effect', (run) => run.falsify('payment_orders', ORDER, { status: 'pending' })],
  [
    'I2',
    'it named another transaction',
    (run) => run.falsify('payment_orders', ORDER, { transaction_id: '1' }),
  ],
  [
    'I2',
    'nothing was granted for it',
    (run) => {
      run.lose('entitlement_grants', '1');
      run.lose('entitlement_grants', '3');
    },
  ],
  [
    'I3',
    'a transaction pays two orders',
    (run) => {
      const { transaction_id } = run.row('payment_orders', DIRECT_ORDER);
      run.falsify('payment_orders', ORDER, { transaction_id: transaction_id ?? null });
    },
  ],
  ['I3', 'a number is there twice', (run) => run.falsify('inbox_messages', '2', { dedupe_key: 'key-1' })],
  ['I4', 'a paid order is not granted', (run) => run.lose('entitlement_grants', '2')],
  [
    'I4',
    'a grant has no order',
    (run) => run.commit(80_000, ['entitlement_grants', null, extraLine({ out_trade_no: `${ORDER}-2` })]),
  ],
  [
    'I4',
    'an order was granted twice for a while',
    (run) => {
      const line = extraLine({ out_trade_no: DIRECT_ORDER });
      run.commit(80_000, ['entitlement_grants', null, line]);
      run.commit(80_001, ['entitlement_grants', line, null]);
    },
  ],
  [
    'I4',
    'an order was paid and not settled in one transaction',
    (run) => {
      const pending = { ...run.row('payment_orders', DIRECT_ORDER), out_trade_no: '4', status: 'pending' };
      run.commit(80_000, ['payment_orders', null, pending]);
      run.commit(
        80_001,
        ['outbox_messages', null, { id: '1', status: 'pending' }],
        run.update('payment_orders', '4', { status: 'paid' }),
      );
      run.commit(80_002, ['entitlement_grants', null, extraLine({ out_trade_no: '4' })]);
    },
  ],
  [
    'I4',
    'an order was paid alone, and not by a function',
    (run) => {
      const pending = { ...run.row('payment_orders', DIRECT_ORDER), out_trade_no: '4', status: 'pending' };
      run.commit(80_000, ['payment_orders', null, pending]);
      run.commit(80_001, run.update('payment_orders', '4', { status: 'paid' }));
      run.commit(80_002, ['entitlement_grants', null, extraLine({ out_trade_no: '4' })]);
    },
  ],
  [
    'I5',
    'a user has a package without a grant',
    (run) => run.falsify('users', 'user-1', { payment_status: 'free' }),
  ],
  [
    'I5',
    'a line and its credits are in two transactions',
    (run) => {
      const line = extraLine({ out_trade_no: 'manual:1', origin: 'manual', regenerate_delta: '5' });
      run.commit(80_000, ['entitlement_grants', null, line]);
      run.commit(80_001, run.update('users', 'user-1', { regenerate_count: '28' }));
    },
  ],
  [
    'I5',
    'credits fell below zero',
    (run) => run.commit(80_000, run.update('users', 'user-1', { regenerate_count: '-1' })),
  ],
  [
    'I4',
    'something was taken back of an order that nobody refunded',
    (run) =>
      run.commit(80_000, [
        'entitlement_grants',
        null,
        extraLine({ out_trade_no: DIRECT_ORDER, entry: 'revocation' }),
      ]),
  ],
  [
    'I5',
    'credits are gone and no line says why',
    (run) => run.commit(80_000, run.update('users', 'user-1', { regenerate_count: '3' })),
  ],
  [
    'I6',
    'somebody else got what was paid for',
    (run) => run.falsify('entitlement_grants', '2', { user_id: 'user-2' }),
  ],
  [
    'I6',
    'more was given than was ordered',
    (run) => run.falsify('payment_orders', DIRECT_ORDER, { package_type: 'basic' }),
  ],
  [
    'I6',
    'other credits were given than the package has',
    (run) => run.falsify('entitlement_grants', '2', { regenerate_delta: '200' }),
  ],
  ['I6', 'a grant rests on nothing', (run) => run.payments.splice(0, 1)],
  [
    'I6',
    'a grant rests on other money',
    (run) => (run.payments[0] = { ...first(run.payments), amountFen: 1 }),
  ],
  [
    'I7',
    'a paid order failed',
    (run) => run.commit(80_000, run.update('payment_orders', DIRECT_ORDER, { status: 'failed' })),
  ],
  [
    'I7',
    'a failed order was paid without a trace',
    (run) => {
      run.commit(80_000, [
        'payment_orders',
        null,
        { ...run.row('payment_orders', ORDER), out_trade_no: '3', status: 'failed' },
      ]);
      run.commit(80_001, run.update('payment_orders', '3', { status: 'paid' }));
    },
  ],
  [
    'I7',
    'a refund left its end',
    (run) => run.commit(80_000, run.update('refund_settlements', REFUND, { status: 'closed' })),
  ],
  [
    'I8',
    'an amount changed',
    (run) => run.commit(80_000, run.update('payment_orders', ORDER, { amount: '0.01' })),
  ],
  [
    'I8',
    'a transaction was replaced',
    (run) => run.commit(80_000, run.update('payment_orders', ORDER, { transaction_id: '1' })),
  ],
  [
    'I8',
    'an order was deleted',
    (run) => run.commit(80_000, ['payment_orders', run.row('payment_orders', ORDER), null]),
  ],
  [
    'I9',
    'more was promised than was paid, for a moment',
    (run) => {
      run.commit(
        80_000,
        ['refund_settlements', null, settle({})],
        ['refund_settlements', null, settle({ out_refund_no: 'RF3', refund_fen: '1' })],
      );
      run.commit(80_001, run.update('refund_settlements', 'RF3', { status: 'closed' }));
    },
  ],
  [
    'I9',
    'nothing was promised',
    (run) => run.commit(80_000, ['refund_settlements', null, settle({ refund_fen: '0' })]),
  ],
  [
    'I9',
    'an order that was never paid was refunded',
    (run) => run.commit(500, ['refund_settlements', null, settle({ out_trade_no: 'unknown' })]),
  ],
  ['I9', 'the shown refund differs', (run) => run.falsify('refunds', REFUND, { refund_amount: '29.89' })],
  [
    'I10',
    'all of it went back, and it is paid',
    (run) => run.falsify('payment_orders', ORDER, { status: 'paid' }),
  ],
  [
    'I10',
    'all of it went back, and what it gave is still there',
    (run) => run.lose('entitlement_grants', '3'),
  ],
  [
    'I10',
    'a part went back, and it is refunded',
    (run) => run.falsify('refund_settlements', REFUND, { refund_fen: '1' }),
  ],
  [
    'I11',
    'the statistics differ by a fen',
    (run) => (run.reports.statistics = { paidFen: 5981, refundedFen: 2990 }),
  ],
  [
    'I11',
    'the export differs by a fen',
    (run) => (run.reports.export = { paidFen: 5980, refundedFen: 2989 }),
  ],
];

export function first<Item>(items: readonly Item[]): Item {
  const [item] = items;
  if (item === undefined) throw new Error('there is no such item');
  return item;
}
