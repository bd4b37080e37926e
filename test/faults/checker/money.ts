import type { Evidence, MoneySums } from './evidence.ts';
import { fenOfYuan, text } from './facts.ts';
import type { Facts } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const PAID_STATES = ['paid', 'refunded'];
/** What WeChat Pay calls a refund, and what the tables call the same. */
const REFUND_STATES: Readonly<Record<string, string>> = {
  PROCESSING: 'pending',
  SUCCESS: 'success',
  CLOSED: 'closed',
  ABNORMAL: 'abnormal',
};

/** I11: the tables, WeChat Pay, the statistics and the export have the same money, each order and each refund of it. */
export function moneyIsConserved(facts: Facts): Verdict {
  const seen = new Examination('I11');
  examineOrders(facts, seen);
  examineRefunds(facts, seen);
  const tables = sumTables(facts);
  for (const [name, sums] of Object.entries(facts.evidence.reports)) {
    seen.examine(sums ? difference(`the ${name}`, sums, tables) : `the ${name} could not be had`);
  }
  const paidFen = toldPayments(facts).reduce((sum, payment) => sum + payment.amountFen, 0);
  const refundedFen = facts.evidence.ledger.refunds.reduce(
    (sum, refund) => sum + (refund.status === 'SUCCESS' ? refund.refundFen : 0),
    0,
  );
  seen.examine(difference('WeChat Pay', { paidFen: paidFen + explainedFen(facts), refundedFen }, tables));
  return seen.verdict();
}

/** A payment that nobody ever told of, not even of its order, is one for the bill of its day. */
function toldPayments(facts: Facts): Evidence['ledger']['payments'] {
  return facts.evidence.ledger.payments.filter(({ outTradeNo }) => facts.isTold(outTradeNo));
}

function examineOrders(facts: Facts, seen: Examination): void {
  for (const { outTradeNo, amountFen, transactionId } of toldPayments(facts)) {
    const row = facts.order(outTradeNo);
    if (!row || !PAID_STATES.includes(text(row, 'status'))) {
      seen.examine(`${outTradeNo} was paid at WeChat Pay, and is ${row?.status ?? 'missing'} here`);
    } else if (fenOfYuan(row.amount) !== amountFen) {
      const isKnown = isHeld(facts, outTradeNo);
      seen.examine(
        isKnown ? null : `${outTradeNo} was paid ${amountFen} fen, and is ${row.amount} yuan here`,
      );
    } else {
      const isSame =
        row.transaction_id === transactionId || facts.hasException(outTradeNo, ['transaction_mismatch']);
      seen.examine(
        isSame ? null : `${outTradeNo} was paid by ${transactionId}, here by ${row.transaction_id}`,
      );
    }
  }
  for (const row of facts.rows('payment_orders')) {
    if (!PAID_STATES.includes(text(row, 'status'))) continue;
    const outTradeNo = text(row, 'out_trade_no');
    const isKnown = facts.payment(outTradeNo) !== undefined || isPaidByFunction(facts, outTradeNo);
    seen.examine(isKnown ? null : `${outTradeNo} is ${row.status}, and nobody paid it`);
  }
}

function examineRefunds(facts: Facts, seen: Examination): void {
  const rows = new Map(facts.rows('refunds').map((row) => [text(row, 'out_refund_no'), row]));
  for (const { outRefundNo, status, refundFen } of facts.evidence.ledger.refunds) {
    const row = rows.get(outRefundNo);
    const isSame = row && row.status === REFUND_STATES[status] && fenOfYuan(row.refund_amount) === refundFen;
    const here = row ? `${row.status} of ${row.refund_amount} yuan` : 'missing';
    seen.examine(
      isSame ? null : `${outRefundNo} is ${status} of ${refundFen} fen at WeChat Pay, ${here} here`,
    );
  }
  const atWechat = new Set(facts.evidence.ledger.refunds.map(({ outRefundNo }) => outRefundNo));
  for (const row of facts.rows('refunds')) {
    const isMade = row.status !== 'success' || atWechat.has(text(row, 'out_refund_no'));
    seen.examine(isMade ? null : `${row.out_refund_no} succeeded here, and WeChat Pay has no such refund`);
  }
}

/** What the tables have more than WeChat Pay, and somebody knows why: a function wrote it, or an operator is to decide. */
function explainedFen(facts: Facts): number {
  return facts
    .rows('payment_orders')
    .filter((row) => PAID_STATES.includes(text(row, 'status')))
    .reduce((sum, row) => {
      const outTradeNo = text(row, 'out_trade_no');
      const isExplained = facts.payment(outTradeNo)
        ? isHeld(facts, outTradeNo)
        : isPaidByFunction(facts, outTradeNo);
      const paidFen = facts.payment(outTradeNo)?.amountFen ?? 0;
      return sum + (isExplained ? fenOfYuan(row.amount) - paidFen : 0);
    }, 0);
}

function isHeld(facts: Facts, outTradeNo: string): boolean {
  return facts.isHeld(outTradeNo);
}

function isPaidByFunction(facts: Facts, outTradeNo: string): boolean {
  return facts.wasWritten(outTradeNo, 'order_paid');
}

function sumTables(facts: Facts): MoneySums {
  const paid = facts.rows('payment_orders').filter((row) => PAID_STATES.includes(text(row, 'status')));
  const refunded = facts.rows('refunds').filter(({ status }) => status === 'success');
  return {
    paidFen: paid.reduce((sum, row) => sum + fenOfYuan(row.amount), 0),
    refundedFen: refunded.reduce((sum, row) => sum + fenOfYuan(row.refund_amount), 0),
  };
}

function difference(name: string, said: MoneySums, tables: MoneySums): string | null {
  const isSame = said.paidFen === tables.paidFen && said.refundedFen === tables.refundedFen;
  const words = ({ paidFen, refundedFen }: MoneySums) => `${paidFen} fen paid and ${refundedFen} refunded`;
  return isSame ? null : `the tables have ${words(tables)}, and ${name} says ${words(said)}`;
}
