import type { Row, RowChange } from './evidence.ts';
import { groupBy, hasAudit, msOf, text } from './facts.ts';
import type { Facts, Transaction } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** Seconds are what the columns of the callers hold. */
const TIME_TOLERANCE_MS = 1_000;

const UNIQUE: readonly (readonly [string, readonly string[]])[] = [
  ['payment_orders', ['out_trade_no']],
  ['payment_orders', ['id']],
  ['refunds', ['out_refund_no']],
  ['refund_settlements', ['out_refund_no']],
  ['refund_settlements', ['idempotency_key']],
  ['entitlement_grants', ['out_trade_no', 'entry']],
  ['entitlement_grants', ['transaction_id']],
  ['inbox_messages', ['dedupe_key']],
  ['exceptions', ['kind', 'subject']],
];

/** I3: numbers are there once; a transaction pays one order, and a second one that names it is before an operator. */
export function numbersAreUnique(facts: Facts): Verdict {
  const seen = new Examination('I3');
  for (const [table, columns] of UNIQUE) {
    const rows = facts.rows(table).filter((row) => columns.every((column) => row[column]));
    for (const [key, same] of groupBy(rows, (row) => columns.map((column) => row[column]).join(' '))) {
      seen.examine(same.length > 1 ? `${table} has ${key} ${same.length} times` : null);
    }
  }
  const paid = facts.rows('payment_orders').filter((row) => row.transaction_id);
  for (const [transactionId, same] of groupBy(paid, (row) => text(row, 'transaction_id'))) {
    const unseen = same.filter(
      (row) => !facts.hasException(text(row, 'out_trade_no'), ['payment_held', 'transaction_mismatch']),
    );
    seen.examine(unseen.length > 1 ? `${transactionId} pays ${unseen.length} orders` : null);
  }
  return seen.verdict();
}

const NO_STATE = 'pending';
const ORDER_EDGES = ['pending>paid', 'pending>failed', 'paid>refunded', 'failed>paid'];
const REFUND_EDGES = [
  'pending>success',
  'pending>closed',
  'pending>abnormal',
  'abnormal>success',
  'abnormal>closed',
];
/** Given up here on unsigned answers, and WeChat Pay has it after all. */
const REOPENED_EDGES = ['closed>pending', 'closed>success', 'closed>abnormal'];

/** I7: states move along the edges of `docs/states.md`, and a late payment leaves a trace of its own. */
export function transitionsAreLegal(facts: Facts): Verdict {
  const seen = new Examination('I7');
  const atWechat = new Set(facts.evidence.ledger.refunds.map(({ outRefundNo }) => outRefundNo));
  for (const transaction of facts.transactions) {
    for (const change of transaction.changes) {
      const { table, before, after } = change;
      if (!before || !after || stateOf(before) === stateOf(after)) continue;
      if (table === 'payment_orders') seen.examine(illegalOrderStep(facts, transaction, change));
      if (table === 'refunds' || table === 'refund_settlements') {
        const edge = `${stateOf(before)}>${stateOf(after)}`;
        const isKnown = atWechat.has(text(after, 'out_refund_no'));
        const isLegal = REFUND_EDGES.includes(edge) || (isKnown && REOPENED_EDGES.includes(edge));
        seen.examine(isLegal ? null : `the refund ${after.out_refund_no} went ${edge} in ${table}`);
      }
    }
  }
  return seen.verdict();
}

function illegalOrderStep(
  facts: Facts,
  transaction: Transaction,
  { before, after }: RowChange,
): string | null {
  if (!before || !after) return null;
  const outTradeNo = text(after, 'out_trade_no');
  const edge = `${stateOf(before)}>${stateOf(after)}`;
  if (!ORDER_EDGES.includes(edge)) return `the order ${outTradeNo} went ${edge}`;
  // The functions of a run turn pending rows only.
  const isExplained = edge !== 'failed>paid' || hasAudit(transaction, /^order\.reopened$/, outTradeNo);
  return isExplained ? null : `the order ${outTradeNo} went ${edge} without a line about the late payment`;
}

/** A server that is not strict keeps an unknown state as an empty word. */
function stateOf(row: Row): string {
  return row.status || NO_STATE;
}

const FIXED = ['id', 'out_trade_no', 'user_id', 'amount', 'package_type'];
const WRITE_ONCE = ['transaction_id', 'paid_at'];

/** I8: what an order is never changes, and what is known of its payment is never replaced; no row of money is deleted. */
export function factsAreWrittenOnce(facts: Facts): Verdict {
  const seen = new Examination('I8');
  for (const transaction of facts.transactions) {
    for (const { table, before, after } of transaction.changes) {
      if (!before || !['payment_orders', 'refunds', 'refund_settlements'].includes(table)) continue;
      const name = before.out_refund_no ?? before.out_trade_no;
      if (!after) seen.examine(`a row of ${table} was deleted: ${name}`);
      else if (table === 'payment_orders') seen.examine(rewrittenOrder(transaction, before, after));
      else if (table === 'refunds') seen.examine(replaced(before, after, ['refunded_at', 'refund_id']));
    }
  }
  return seen.verdict();
}

function rewrittenOrder(transaction: Transaction, before: Row, after: Row): string | null {
  const outTradeNo = text(before, 'out_trade_no');
  const changed = FIXED.filter((column) => before[column] !== after[column]);
  const forbidden = changed.filter((column) => {
    // A row that a function rescued does not know what was paid, and so neither for what.
    if (column === 'amount') return !(isRescued(before) && before.amount === '0.00');
    if (column === 'package_type')
      return !hasAudit(transaction, /^order\.(package_repaired|granted)$/, outTradeNo);
    return true;
  });
  if (forbidden.length > 0) return `the order ${outTradeNo} changed its ${forbidden.join(', ')}`;
  return replaced(before, after, WRITE_ONCE);
}

function isRescued(order: Row): boolean {
  return order.id === `order-${order.out_trade_no}`;
}

function replaced(before: Row, after: Row, columns: readonly string[]): string | null {
  const found = columns.filter((column) => before[column] && before[column] !== after[column]);
  const name = before.out_refund_no ?? before.out_trade_no;
  return found.length > 0 ? `${name} had its ${found.join(', ')} replaced` : null;
}

/** I16: the time of a payment is WeChat Pay's, whatever zones the process and the session have, and no time is outside the run. */
export function timesAreTrue(facts: Facts): Verdict {
  const seen = new Examination('I16');
  for (const order of facts.rows('payment_orders')) {
    const paidAtMs = msOf(order.paid_at);
    const payment = facts.payment(text(order, 'out_trade_no'));
    if (paidAtMs !== null && payment) {
      const isTrue = Math.abs(paidAtMs - payment.paidAtMs) <= TIME_TOLERANCE_MS;
      const was = new Date(payment.paidAtMs).toISOString();
      seen.examine(
        isTrue ? null : `${order.out_trade_no} has paid_at ${order.paid_at}, it was paid at ${was}`,
      );
    }
    examineTimes(facts, order, ['created_at', 'paid_at'], seen);
  }
  for (const refund of facts.rows('refunds')) {
    examineTimes(facts, refund, ['created_at', 'refunded_at'], seen);
    const paidAtMs = msOf(facts.order(text(refund, 'out_trade_no'))?.paid_at);
    const refundedAtMs = msOf(refund.refunded_at);
    if (paidAtMs === null || refundedAtMs === null) continue;
    const isAfter = refundedAtMs >= paidAtMs - TIME_TOLERANCE_MS;
    seen.examine(
      isAfter ? null : `${refund.out_refund_no} arrived at ${refund.refunded_at}, before the payment`,
    );
  }
  for (const message of facts.rows('inbox_messages')) examineTimes(facts, message, ['received_at'], seen);
  return seen.verdict();
}

function examineTimes(facts: Facts, row: Row, columns: readonly string[], seen: Examination): void {
  const { startedAtMs, quietAtMs } = facts.evidence.setting;
  for (const column of columns) {
    const atMs = msOf(row[column]);
    if (atMs === null) continue;
    const isWithin = atMs >= startedAtMs - TIME_TOLERANCE_MS && atMs <= quietAtMs + TIME_TOLERANCE_MS;
    const name = row.out_refund_no ?? row.out_trade_no;
    seen.examine(isWithin ? null : `${name} has ${column} ${row[column]}, outside of the run`);
  }
}
