import type { RefundableOrder } from '../payments/payments.types.js';
import { DomainError } from '../shared/domain-error.js';
import { Money } from '../shared/money.js';
import { readForeignAmounts } from './refund-amounts.js';
import type { RefundState } from './refund.state.js';

/** WeChat Pay refunds within this many days of the payment. */
const REFUND_DAYS_MAX = 365;
/** WeChat Pay pays an order back in this many parts at most. */
const REFUNDS_PER_ORDER_MAX = 50;
const DAY_MS = 86_400_000;

/** What WeChat Pay says of the payment of an order. */
export type PaymentWord =
  | { readonly kind: 'paid'; readonly amount: Money; readonly transactionId: string }
  | { readonly kind: 'not_paid' };

export type RefundQuestion = {
  readonly order: RefundableOrder;
  /** Null when WeChat Pay was not asked, or did not say: the table's own word counts then. */
  readonly payment: PaymentWord | null;
  readonly refunds: readonly {
    readonly status: RefundState;
    readonly refundAmount: Money | null;
    readonly refundYuan: string;
    readonly totalYuan: string;
  }[];
  /** Null: all that is left. */
  readonly amount: Money | null;
  readonly now: Date;
};

export type RefundableAmounts = { readonly refundAmount: Money; readonly orderAmount: Money };

/**
 * Whether this much may go back. The caller holds the order's lock, so that two requests cannot both be within the limit.
 * @returns what goes back, and what the order cost; @throws DomainError
 */
export function checkRefundable({ order, payment, refunds, amount, now }: RefundQuestion): RefundableAmounts {
  if (order.status !== 'paid') throw notPaid(order.status);
  if (payment?.kind === 'not_paid') {
    throw refused(
      'order_not_paid',
      'WeChat Pay says that nobody paid this order: there is nothing to give back. Look at what is held of it.',
    );
  }
  const paidAmount = payment?.amount ?? order.amount;
  if (!paidAmount || paidAmount.isZero()) {
    throw refused('order_amount_unknown', 'What this order cost is not known here: it cannot be refunded.');
  }
  if (amount?.isZero()) {
    throw new DomainError('invalid_request', 'invalid', 'amount must be more than 0.');
  }
  const paidAt = order.paidAt ?? order.createdAt;
  if (paidAt && now.getTime() - paidAt.getTime() > REFUND_DAYS_MAX * DAY_MS) {
    throw refused(
      'refund_too_late',
      `WeChat Pay refunds within ${REFUND_DAYS_MAX} days of the payment; this order was paid on ${paidAt.toISOString().slice(0, 10)}.`,
    );
  }
  if (refunds.length >= REFUNDS_PER_ORDER_MAX) {
    throw refused('refund_parts_exceeded', `An order is refunded in ${REFUNDS_PER_ORDER_MAX} parts at most.`);
  }
  const countedFen = refunds
    .filter(({ status }) => status !== 'closed')
    .reduce((sum, refund) => sum + fenOf(refund, paidAmount), 0);
  const leftFen = Math.max(0, paidAmount.fen - countedFen);
  if (leftFen === 0 || (amount && amount.fen > leftFen)) {
    const left = Money.ofFen(leftFen).toYuan();
    throw refused(
      'refund_exceeds_paid',
      `${left} of ${paidAmount.toYuan()} yuan is left to refund, ${amount?.toYuan() ?? 'the rest'} was asked for; refunds under way count.`,
    );
  }
  return { refundAmount: amount ?? Money.ofFen(leftFen), orderAmount: paidAmount };
}

/** A row of others whose unit cannot be told may be the whole order: until WeChat Pay says otherwise, it counts so. */
function fenOf(refund: RefundQuestion['refunds'][number], paidAmount: Money): number {
  return (refund.refundAmount ?? readForeignAmounts(refund, paidAmount)?.refund ?? paidAmount).fen;
}

function notPaid(status: RefundableOrder['status']): DomainError {
  if (status === 'refunded') return refused('order_refunded', 'This order has been refunded in full.');
  return refused('order_not_paid', `This order is ${status}: only a paid one can be refunded.`);
}

function refused(code: string, message: string): DomainError {
  return new DomainError(code, 'conflict', message);
}
