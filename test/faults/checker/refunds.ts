import type { Row } from './evidence.ts';
import { REFUND_REQUEST } from './acknowledged.ts';
import { imageOf } from './binlog.ts';
import { fenOfYuan, field, groupBy, isSuccess, msOf, text } from './facts.ts';
import type { Facts, Transaction } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** WeChat Pay's own limits. */
const PARTS_MAX = 50;
const REFUND_DAYS_MAX = 365;
const DAY_MS = 86_400_000;
const PAID_STATES = ['paid', 'refunded'];
const MOVES_NO_MONEY = 'closed';

/** I9: what an operator was promised never exceeds what was paid, at any point of the log. */
export function refundsAreBounded(facts: Facts): Verdict {
  const seen = new Examination('I9');
  const orders = new Map<string, Row>();
  const promised = new Map<string, Map<string, Row>>();
  for (const transaction of facts.transactions) {
    const touched = replay(transaction, orders, promised);
    for (const outTradeNo of touched) {
      const refunds = [...(promised.get(outTradeNo)?.values() ?? [])];
      const order = orders.get(outTradeNo);
      seen.examine(excess(outTradeNo, order ? facts.cost(order) : 0, refunds));
    }
    for (const change of transaction.changes) {
      if (change.table !== 'refund_settlements' || change.before || imageOf(change).origin !== 'operator')
        continue;
      const order = orders.get(text(imageOf(change), 'out_trade_no'));
      seen.examine(unjustified(facts, { refund: imageOf(change), order }, transaction));
    }
  }
  examineShownRefunds(facts, seen);
  return seen.verdict();
}

/** @returns the orders whose promises changed */
function replay(
  { changes }: Transaction,
  orders: Map<string, Row>,
  promised: Map<string, Map<string, Row>>,
): Set<string> {
  const touched = new Set<string>();
  for (const change of changes) {
    const row = imageOf(change);
    const outTradeNo = text(row, 'out_trade_no');
    if (change.table === 'payment_orders') orders.set(outTradeNo, row);
    if (change.table !== 'refund_settlements' || row.origin !== 'operator') continue;
    const ofOrder = promised.get(outTradeNo) ?? new Map<string, Row>();
    promised.set(outTradeNo, ofOrder.set(text(row, 'out_refund_no'), row));
    touched.add(outTradeNo);
  }
  return touched;
}

function excess(outTradeNo: string, orderFen: number, refunds: readonly Row[]): string | null {
  const counted = refunds.filter(({ status }) => status !== MOVES_NO_MONEY);
  const sumFen = counted.reduce((sum, refund) => sum + Number(refund.refund_fen), 0);
  if (counted.some((refund) => Number(refund.refund_fen) <= 0))
    return `${outTradeNo} has a refund of nothing`;
  if (refunds.length > PARTS_MAX) return `${outTradeNo} has ${refunds.length} refunds`;
  return sumFen > orderFen ? `${outTradeNo}: refunds of ${sumFen} fen were promised of ${orderFen}` : null;
}

function unjustified(
  facts: Facts,
  { refund, order }: { refund: Row; order: Row | undefined },
  { committedAtMs }: Transaction,
): string | null {
  const name = text(refund, 'out_refund_no');
  if (!order || !PAID_STATES.includes(text(order, 'status')))
    return `${name} was promised, and its order is ${order?.status ?? 'missing'}`;
  if (Number(refund.order_fen) !== facts.cost(order))
    return `${name} says that the order cost ${refund.order_fen} fen, and it cost ${facts.cost(order)}`;
  const paidAtMs = msOf(order.paid_at);
  const isTooLate = paidAtMs !== null && committedAtMs - paidAtMs > REFUND_DAYS_MAX * DAY_MS;
  return isTooLate ? `${name} was promised more than ${REFUND_DAYS_MAX} days after the payment` : null;
}

/** The callers read `refunds`: it says the same as what decides. */
function examineShownRefunds(facts: Facts, seen: Examination): void {
  const shown = new Map(facts.rows('refunds').map((row) => [text(row, 'out_refund_no'), row]));
  for (const settlement of facts.rows('refund_settlements')) {
    if (settlement.origin !== 'operator') continue;
    const row = shown.get(text(settlement, 'out_refund_no'));
    const isShown =
      row &&
      row.status === settlement.status &&
      fenOfYuan(row.refund_amount) === Number(settlement.refund_fen) &&
      fenOfYuan(row.total_amount) === Number(settlement.order_fen);
    seen.examine(isShown ? null : `${settlement.out_refund_no} is shown otherwise than it is known`);
  }
}

/**
 * I10: an order is refunded if and only if all of its money went back, and then what it gave was taken back; what contradicts it
 * is before an operator.
 */
export function refundedMeansAllOfIt(facts: Facts): Verdict {
  const seen = new Examination('I10');
  const successes = facts.rows('refund_settlements').filter(({ status }) => status === 'success');
  const byOrder = groupBy(successes, (row) => text(row, 'out_trade_no'));
  for (const order of facts.rows('payment_orders')) {
    const outTradeNo = text(order, 'out_trade_no');
    const refundedFen = (byOrder.get(outTradeNo) ?? []).reduce((sum, row) => sum + Number(row.refund_fen), 0);
    const isAll = refundedFen > 0 && refundedFen === facts.cost(order);
    const isRefunded = order.status === 'refunded';
    if (!isAll && !isRefunded && refundedFen === 0) continue;
    if (isAll && isRefunded) seen.examine(notTakenBack(facts, outTradeNo));
    const isExplained =
      isAll === isRefunded || facts.hasException(outTradeNo, ['refund_conflict', 'refund_exceeds_paid']);
    seen.examine(
      isExplained
        ? null
        : `${outTradeNo} is ${order.status}, and ${refundedFen} fen of ${facts.cost(order)} went back`,
    );
  }
  return seen.verdict();
}

/** Nobody consumes credits in a run, so that all of them can be taken back. */
function notTakenBack(facts: Facts, outTradeNo: string): string | null {
  const gave = facts.line(outTradeNo, 'grant');
  const back = facts.line(outTradeNo, 'revocation');
  if (!back) return `${outTradeNo} is refunded, and keeps what it gave`;
  const credits = gave ? -Number(gave.regenerate_delta) : 0;
  const isSame = Number(back.regenerate_delta) === credits && (!gave || back.user_id === gave.user_id);
  return isSame ? null : `${outTradeNo} is refunded, and something else than it gave was taken back`;
}

/** I12: one intent is one number at WeChat Pay, and its money moves once at most. */
export function intentsAreRefundedOnce(facts: Facts): Verdict {
  const seen = new Examination('I12');
  const promised = facts.rows('refund_settlements').filter(({ origin }) => origin === 'operator');
  const known = new Set(promised.map((row) => text(row, 'out_refund_no')));
  for (const refund of facts.evidence.ledger.refunds) {
    const { outRefundNo, timesApplied } = refund;
    seen.examine(timesApplied > 1 ? `the money of ${outRefundNo} moved ${timesApplied} times` : null);
    const isStray = !known.has(outRefundNo);
    seen.examine(isStray ? `WeChat Pay has the refund ${outRefundNo}, which stands for no intent` : null);
  }
  const taken = facts.posts(REFUND_REQUEST).filter(isSuccess);
  for (const [key, events] of groupBy(taken, ({ body }) => String(field(body, 'idempotencyKey')))) {
    const numbers = new Set(events.map(({ answer }) => field(answer, 'data', 'outRefundNo')));
    seen.examine(numbers.size > 1 ? `the intent ${key} got ${numbers.size} numbers` : null);
  }
  const asked = new Set(facts.posts(REFUND_REQUEST).map(({ body }) => intentOf(body)));
  for (const row of promised) {
    const intent = [row.idempotency_key, row.out_trade_no, Number(row.refund_fen)].join(' ');
    const isAsked = asked.has(intent);
    seen.examine(isAsked ? null : `${row.out_refund_no} was promised, and nobody asked for it by its key`);
  }
  for (const change of facts.changes('refund_settlements')) {
    const { before, after } = change;
    if (!before || !after) continue;
    const isSame =
      before.out_refund_no === after.out_refund_no && before.idempotency_key === after.idempotency_key;
    seen.examine(isSame ? null : `the refund ${before.out_refund_no} became another one`);
  }
  return seen.verdict();
}

function intentOf(body: unknown): string {
  const amount = field(body, 'amount');
  const fen = typeof amount === 'string' ? fenOfYuan(amount) : NaN;
  return [field(body, 'idempotencyKey'), field(body, 'outTradeNo'), fen].join(' ');
}
