import { first } from './breaks-of-rows.ts';
import type { Break } from './breaks-of-rows.ts';
import {
  DIRECT_ORDER,
  lease,
  NOTIFY_BODY,
  ORDER,
  ORDER_CREATED_BODY,
  REFUND,
  REFUND_BODY,
} from './clean-run.ts';
import { STARTED_AT_MS, timeText } from './run-builder.ts';
import type { RunBuilder } from './run-builder.ts';

const CREATED_PATH = '/api/payment/internal/order-created';
const NOTIFY_PATH = '/api/payment/internal/notify';
const REFUND_PATH = '/api/admin/refunds';

/** The same for the money as a whole, the answers and what goes on behind them. */
export const BREAKS_OF_ANSWERS: readonly Break[] = [
  ['I11', 'the export was not to be had', (run) => (run.reports.export = null)],
  ['I11', 'a payment is missing here', (run) => run.lose('payment_orders', DIRECT_ORDER)],
  [
    'I11',
    'WeChat Pay has another amount',
    (run) => (run.payments[0] = { ...first(run.payments), amountFen: 2989 }),
  ],
  [
    'I11',
    'a refund did not arrive there',
    (run) => (run.refunds[0] = { ...first(run.refunds), status: 'PROCESSING' }),
  ],
  [
    'I4',
    'a paid order was held for nothing',
    (run) => {
      run.lose('entitlement_grants', '2');
      const hold = { id: '1', kind: 'payment_held', subject: DIRECT_ORDER, status: 'open' };
      run.commit(62_000, ['exceptions', null, hold]);
    },
  ],
  [
    'I5',
    'a user was made with credits',
    (run) =>
      run.commit(80_000, [
        'users',
        null,
        { ...run.row('users', 'user-1'), id: 'user-9', regenerate_count: '23' },
      ]),
  ],
  [
    'I6',
    'a grant that nobody gave',
    (run) => run.falsify('entitlement_grants', '2', { origin: 'fulfilled_earlier' }),
  ],
  [
    'I6',
    'another package than was bought',
    (run) => {
      run.falsify('payment_orders', DIRECT_ORDER, { package_type: 'basic' });
      run.falsify('entitlement_grants', '2', { package_type: 'basic', regenerate_delta: '5' });
    },
  ],
  [
    'I10',
    'other credits were taken back than were given',
    (run) => run.falsify('entitlement_grants', '3', { regenerate_delta: '0' }),
  ],
  [
    'I24',
    'a promised refund was given up',
    (run) => run.falsify('refund_settlements', REFUND, { status: 'closed' }),
  ],
  ['I12', 'money moved twice', (run) => (run.refunds[0] = { ...first(run.refunds), timesApplied: 2 })],
  [
    'I12',
    'a second number for one intent',
    (run) => run.refunds.push({ ...first(run.refunds), outRefundNo: 'RF1767345631000xyz' }),
  ],
  [
    'I12',
    'a refund was promised that nobody asked for',
    (run) => run.falsify('refund_settlements', REFUND, { idempotency_key: 'another' }),
  ],
  [
    'I12',
    'a key was answered with two numbers',
    (run) =>
      run.post(80_000, REFUND_PATH, REFUND_BODY, { status: 202, answer: { data: { outRefundNo: 'RF9' } } }),
  ],
  ['I13', 'an acknowledged message was never written', (run) => run.lose('inbox_messages', '2')],
  [
    'I13',
    'another message of the order was written',
    (run) =>
      run.post(80_000, NOTIFY_PATH, { ...NOTIFY_BODY, transactionId: '1' }, { status: 200, answer: {} }),
  ],
  [
    'I13',
    'a refused message was written',
    (run) => (run.history[0] = { ...first(run.history), status: 401 }),
  ],
  [
    'I13',
    'a refund was acknowledged before its commit',
    (run) => (run.history[2] = { ...first(run.history.slice(2)), returnedAtMs: STARTED_AT_MS + 69_999 }),
  ],
  [
    'I13',
    'another amount was promised than was asked for',
    (run) => (run.history[2] = { ...first(run.history.slice(2)), body: { ...REFUND_BODY, amount: '29.91' } }),
  ],
  [
    'I14',
    'equal messages got unequal answers',
    (run) =>
      run.post(80_000, CREATED_PATH, ORDER_CREATED_BODY, {
        status: 200,
        answer: { success: true, orderId: 'x' },
      }),
  ],
  [
    'I14',
    'a taken message was refused later',
    (run) => run.post(80_000, CREATED_PATH, ORDER_CREATED_BODY, { status: 400, answer: {} }),
  ],
  [
    'I14',
    'one key was taken for two refunds',
    (run) =>
      run.post(
        80_000,
        REFUND_PATH,
        { ...REFUND_BODY, amount: '1.00' },
        { status: 202, answer: { data: { outRefundNo: REFUND } } },
      ),
  ],
  [
    'I14',
    'another refund under the key is no conflict',
    (run) => run.post(80_000, REFUND_PATH, { ...REFUND_BODY, amount: '1.00' }, { status: 400, answer: {} }),
  ],
  ['I15', 'a direct payment was picked up late', delayGrant],
  ['I15', 'a direct payment was never picked up', (run) => run.lose('entitlement_grants', '2')],
  [
    'I16',
    'a payment is eight hours off',
    (run) => run.falsify('payment_orders', ORDER, { paid_at: timeText(28_802_000) }),
  ],
  [
    'I16',
    'a refund came before its payment',
    (run) => run.falsify('refunds', REFUND, { refunded_at: timeText(0) }),
  ],
  ['I17', 'an openid stands in a log', (run) => (run.replica.log += '{"openid":"oCanaryOfTheTests"}\n')],
  [
    'I17',
    'an openid stands in an answer, in base64',
    (run) => (run.history[0] = { ...first(run.history), answer: btoa('{"openid":"oCanaryOfTheTests"}') }),
  ],
  [
    'I19',
    'a lease changed hands under one token',
    (run) => run.commit(80_000, run.update('job_leases', 'sweep', { owner: 'p3' })),
  ],
  [
    'I19',
    'a token fell',
    (run) => run.commit(80_000, run.update('job_leases', 'sweep', { fencing_token: '1' })),
  ],
  [
    'I19',
    'a lease was taken before it ran out',
    (run) =>
      run.commit(57_000, run.update('job_leases', 'sweep', lease({ owner: 'p3', fencing_token: '3' }))),
  ],
  ['I20', 'a message is left in a spool', (run) => (run.replica.spoolDepth = 1)],
  ['I20', 'a spooled message never arrived', (run) => run.lose('inbox_messages', '2')],
  ['I21', 'a request has no line', (run) => run.lose('audit_logs', '1')],
  ['I21', 'a refunded order has no line', (run) => run.lose('audit_logs', '3')],
  [
    'I21',
    'a line was written later than its change',
    (run) => {
      const line = run.row('audit_logs', '3');
      run.lose('audit_logs', '3');
      run.commit(80_000, ['audit_logs', null, line]);
    },
  ],
  [
    'I21',
    'an unknown route changed something',
    (run) => run.post(80_000, '/api/admin/prices', {}, { status: 201, answer: {} }),
  ],
  ['I24', 'a message still waits', (run) => run.falsify('inbox_messages', '2', { status: 'pending' })],
  ['I24', 'a message is aside', (run) => run.falsify('inbox_messages', '2', { status: 'quarantined' })],
  ['I24', 'a refund hangs', (run) => run.falsify('refund_settlements', REFUND, { status: 'pending' })],
  ['I24', 'a paid order was forgotten', (run) => run.falsify('payment_orders', ORDER, { status: 'failed' })],
];

/** As if the sweep had passed the order by until long after the faults were over. */
function delayGrant(run: RunBuilder): void {
  const grants = run.changes.filter(
    ({ table, after }) => table === 'entitlement_grants' && after?.id === '2',
  );
  for (const grant of grants)
    run.changes[run.changes.indexOf(grant)] = { ...grant, committedAtMs: STARTED_AT_MS + 72_000 };
}
