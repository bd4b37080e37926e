import type { OrderFacts } from './facts.ts';
import { toYuan } from './money.ts';
import type { Expectation, OrderTruth } from './order-book.ts';

type Granted = Extract<Expectation, { kind: 'granted' }>;
type Refunded = Extract<Expectation, { kind: 'refunded' }>;

/** What is not as promised about an order, each in a few words; nothing when all is. */
export function judge(truth: OrderTruth, facts: OrderFacts): string[] {
  const { expected } = truth;
  if (!expected) return ['nobody said what to expect'];
  switch (expected.kind) {
    case 'granted':
      return judgeGranted(truth, facts, { ...expected, status: 'paid' });
    case 'refunded':
      return judgeRefunded(truth, facts, expected);
    case 'held':
      return judgeHeld(facts, expected.by);
    case 'waiting':
      return [
        ...grantedNothing(facts),
        ...when(!isWaiting(facts), 'no notice of it waits, and no exception names it'),
      ];
    case 'unpaid':
      return judgeUnpaid(facts, 'pending');
    case 'failed':
      return judgeUnpaid(facts, 'failed');
    case 'nothing':
      return when(
        facts.rows.length + facts.inbox.length + facts.openExceptions.length + facts.grants.length > 0,
        'a refused call left something behind',
      );
  }
}

/** What a notice can wait for. Another error is a failure, and no waiting. */
const WAITED_FOR = ['order_unknown', 'payment_unproven'];

/** A notice that was stored, looked at, and sleeps until its order comes; or an operator was told already. */
export function isWaiting({ inbox, openExceptions }: OrderFacts): boolean {
  return (
    inbox.some(({ status, last_error }) => status === 'pending' && WAITED_FOR.includes(last_error ?? '')) ||
    openExceptions.some(({ kind }) => WAITED_FOR.includes(kind))
  );
}

function judgeRefunded(truth: OrderTruth, facts: OrderFacts, expected: Refunded): string[] {
  const granted = { ...expected, kind: 'granted', status: 'refunded' } as const;
  return [
    ...judgeGranted(truth, facts, granted),
    ...when(facts.revocations !== 1, `taken back ${facts.revocations} times instead of once`),
  ];
}

function judgeGranted(
  truth: OrderTruth,
  facts: OrderFacts,
  expected: Granted & { readonly status: 'paid' | 'refunded' },
): string[] {
  const [row] = facts.rows;
  const [grant] = facts.grants;
  if (!row) return ['no row in payment_orders'];
  const { payment } = truth;
  const asleep = facts.inbox.filter(({ status }) => status !== 'handled').length;
  return [
    ...when(facts.rows.length > 1, `${facts.rows.length} rows`),
    ...when(row.status !== expected.status, `status ${row.status} instead of ${expected.status}`),
    ...when(payment && row.transaction_id !== payment.transactionId, `transaction ${row.transaction_id}`),
    ...when(payment && row.amount !== toYuan(payment.amountFen), `amount ${row.amount}`),
    ...when(row.package_type !== expected.packageType, `package ${row.package_type} in the row`),
    ...when(facts.grants.length !== 1, `${facts.grants.length} grants instead of one`),
    ...when(grant && grant.package_type !== expected.packageType, `${grant?.package_type} granted`),
    ...when(grant && expected.userId && grant.user_id !== expected.userId, 'granted to another user'),
    ...when(facts.staged !== 1, `${facts.staged} notices staged instead of one`),
    ...when(asleep && !expected.maySleep, `${asleep} messages not handled`),
    ...unexpectedExceptions(facts, expected.alsoOpen ?? []),
  ];
}

function judgeUnpaid(facts: OrderFacts, status: 'pending' | 'failed'): string[] {
  return [
    ...grantedNothing(facts),
    ...when(facts.rows.length !== 1, `${facts.rows.length} rows instead of one`),
    ...when(facts.rows[0]?.status !== status, `status ${facts.rows[0]?.status} instead of ${status}`),
    ...unexpectedExceptions(facts, []),
  ];
}

function judgeHeld(facts: OrderFacts, by: readonly string[]): string[] {
  const missing = by.filter(
    (kind) => !facts.openExceptions.some((open) => open.kind === kind && open.reason.trim() !== ''),
  );
  return [
    ...grantedNothing(facts),
    ...missing.map((kind) => `no open exception ${kind} with a reason`),
    ...unexpectedExceptions(facts, by),
  ];
}

function grantedNothing({ grants, staged }: OrderFacts): string[] {
  return [
    ...when(grants.length > 0, `${grants[0]?.package_type} was granted`),
    ...when(staged > 0, 'a notice was staged'),
  ];
}

function unexpectedExceptions({ openExceptions }: OrderFacts, expected: readonly string[]): string[] {
  const missing = expected.filter((kind) => !openExceptions.some((open) => open.kind === kind));
  return [
    ...openExceptions
      .filter(({ kind }) => !expected.includes(kind))
      .map(({ kind, reason }) => `unexpected exception ${kind}: ${reason}`),
    ...missing.map((kind) => `no open exception ${kind}`),
  ];
}

function when(isSo: unknown, complaint: string): string[] {
  return isSo ? [complaint] : [];
}
