import { RunBuilder, STARTED_AT_MS, timeText } from './run-builder.ts';

/** An order that was backed up, paid, notified and refunded. */
export const ORDER = '176734563000100001';
/** An order that a function wrote and turned to paid itself. */
export const DIRECT_ORDER = '176734563000100002';
export const REFUND = 'RF1767345630000abc';
const TRANSACTION = '4200000001';

const message = (id: string, topic: string, payload: unknown, extra = {}) => ({
  id,
  topic,
  dedupe_key: `key-${id}`,
  out_trade_no: ORDER,
  payload: JSON.stringify(payload),
  status: 'pending',
  received_at: timeText(1_000),
  ...extra,
});
const order = (outTradeNo: string, status = 'pending') => ({
  id: `order-1-${outTradeNo}`,
  user_id: 'user-1',
  out_trade_no: outTradeNo,
  transaction_id: null,
  amount: '29.90',
  package_type: 'premium',
  trade_type: 'JSAPI',
  status,
  paid_at: null,
  created_at: timeText(1_000),
});
const line = (id: string, outTradeNo: string, extra = {}) => ({
  id,
  out_trade_no: outTradeNo,
  entry: 'grant',
  origin: 'payment',
  user_id: 'user-1',
  package_type: 'premium',
  regenerate_delta: '20',
  transaction_id: null,
  granted_by: 'system:notify',
  ...extra,
});
const audit = (id: string, action: string, target: string) => ({
  id,
  action,
  target_id: target,
  actor: 'system',
});

/** A run in which everything happened as it should. */
export function makeCleanRun(): RunBuilder {
  const run = new RunBuilder();
  backUp(run);
  payAndNotify(run);
  payDirectly(run);
  refund(run);
  run.commit(50_000, ['job_leases', null, lease({ owner: 'p1', fencing_token: '1' })]);
  run.commit(59_000, run.update('job_leases', 'sweep', { owner: null, expires_at: timeText(59_000) }));
  run.commit(60_000, run.update('job_leases', 'sweep', lease({ owner: 'p2', fencing_token: '2' })));
  const sums = { paidFen: 5980, refundedFen: 2990 };
  Object.assign(run.reports, { statistics: { ...sums }, export: { ...sums } });
  run.replica.log = `{"event":"inbox.accepted","topic":"payment_notified","outTradeNo":"${ORDER}","stored":"spool"}\n`;
  return run;
}

export const ORDER_CREATED_BODY = {
  outTradeNo: ORDER,
  userId: 'user-1',
  amount: 2990,
  packageType: 'premium',
  tradeType: 'JSAPI',
};
export const NOTIFY_BODY = { outTradeNo: ORDER, transactionId: TRANSACTION, status: 'paid' };
export const REFUND_BODY = { outTradeNo: ORDER, amount: '29.90', reason: 'r', idempotencyKey: 'k1' };

export function lease(extra: Record<string, string | null>) {
  return { name: 'sweep', cursor_value: null, expires_at: timeText(60_000), ...extra };
}

function backUp(run: RunBuilder): void {
  run.commit(1_000, ['inbox_messages', null, message('1', 'order_created', { statedAmount: '2990' })]);
  run.post(995, '/api/payment/internal/order-created', ORDER_CREATED_BODY, {
    status: 200,
    answer: { success: true },
  });
  const user = { id: 'user-1', openid: 'o1', payment_status: 'free', regenerate_count: '3' };
  run.commit(
    1_100,
    ['users', null, user],
    ['payment_orders', null, order(ORDER)],
    run.update('inbox_messages', '1', { status: 'handled' }),
  );
}

function payAndNotify(run: RunBuilder): void {
  const paidAtMs = STARTED_AT_MS + 2_300;
  run.payments.push({ outTradeNo: ORDER, transactionId: TRANSACTION, amountFen: 2990, paidAtMs });
  run.commit(3_000, ['inbox_messages', null, message('2', 'payment_notified', NOTIFY_BODY)]);
  run.post(2_995, '/api/payment/internal/notify', NOTIFY_BODY, { status: 200, answer: { success: true } });
  run.commit(
    3_100,
    run.update('payment_orders', ORDER, {
      status: 'paid',
      transaction_id: TRANSACTION,
      paid_at: timeText(2_000),
    }),
    ['entitlement_grants', null, line('1', ORDER, { transaction_id: TRANSACTION })],
    run.update('users', 'user-1', { payment_status: 'premium', regenerate_count: '23' }),
    run.update('inbox_messages', '2', { status: 'handled' }),
  );
}

function payDirectly(run: RunBuilder): void {
  const paidAtMs = STARTED_AT_MS + 4_000;
  run.payments.push({ outTradeNo: DIRECT_ORDER, transactionId: '4200000002', amountFen: 2990, paidAtMs });
  run.commit(4_000, ['payment_orders', null, order(DIRECT_ORDER)]);
  const paid = { status: 'paid', transaction_id: '4200000002', paid_at: timeText(4_000) };
  run.commit(61_000, run.update('payment_orders', DIRECT_ORDER, paid));
  run.directWrites.push({
    what: 'order_paid',
    outTradeNo: DIRECT_ORDER,
    committedAtMs: STARTED_AT_MS + 61_000,
  });
  run.commit(
    62_000,
    ['entitlement_grants', null, line('2', DIRECT_ORDER, { package_type: 'premium' })],
    run.update('users', 'user-1', { regenerate_count: '43' }),
  );
}

function refund(run: RunBuilder): void {
  const settlement = {
    out_refund_no: REFUND,
    out_trade_no: ORDER,
    origin: 'operator',
    refund_fen: '2990',
    order_fen: '2990',
    idempotency_key: 'k1',
    status: 'pending',
    stage: 'requested',
  };
  const shown = {
    refund_amount: '29.90',
    total_amount: '29.90',
    status: 'pending',
    created_at: timeText(70_000),
  };
  run.commit(
    70_000,
    ['refund_settlements', null, settlement],
    ['refunds', null, { out_refund_no: REFUND, out_trade_no: ORDER, refunded_at: null, ...shown }],
    ['audit_logs', null, audit('1', 'refund.requested', REFUND)],
  );
  const answer = { data: { outRefundNo: REFUND, outTradeNo: ORDER, amount: '29.90', status: 'pending' } };
  run.post(69_998, '/api/admin/refunds', REFUND_BODY, { status: 202, answer });
  const ledger = {
    outRefundNo: REFUND,
    outTradeNo: ORDER,
    refundFen: 2990,
    status: 'SUCCESS',
    timesApplied: 1,
  };
  run.refunds.push(ledger);
  run.commit(
    71_000,
    run.update('refund_settlements', REFUND, { status: 'success', stage: 'accepted' }),
    run.update('refunds', REFUND, { status: 'success', refunded_at: timeText(71_000) }),
    ['audit_logs', null, audit('2', 'refund.success', REFUND)],
    run.update('payment_orders', ORDER, { status: 'refunded' }),
    ['audit_logs', null, audit('3', 'order.refunded', ORDER)],
    ['entitlement_grants', null, line('3', ORDER, { entry: 'revocation', regenerate_delta: '-20' })],
    run.update('users', 'user-1', { regenerate_count: '23' }),
  );
}
