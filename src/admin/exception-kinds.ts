import type { ExceptionState } from '../platform/exceptions/exceptions.types.js';

/**
 * What can be done about an exception. The first five are routes below /api/admin/exceptions/:id; `retry` and `redirect`
 * are routes below /api/admin/refunds/:outRefundNo, `resend` is one below /api/admin/outbox/:id.
 */
export const EXCEPTION_ACTIONS = [
  'grant',
  'refund',
  'adopt',
  'dismiss',
  'reopen',
  'retry',
  'redirect',
  'resend',
] as const;

export type ExceptionAction = (typeof EXCEPTION_ACTIONS)[number];

export type ExceptionKind = {
  /** In words for an operator who never read the code. */
  readonly meaning: string;
  /** What can be done while it is open. */
  readonly actions: readonly ExceptionAction[];
  /** Why it cannot be dismissed: work that goes on by itself would go on unseen. */
  readonly endsBy?: string;
};

/** Every kind of exception there is. A test finds those that are raised somewhere and missing here, or in the documentation. */
const KINDS: Readonly<Record<string, ExceptionKind>> = {
  payment_held: {
    meaning:
      'Paid, and nothing was granted: the amount is no price of the package or not the one WeChat Pay was paid, the owner is unknown, money went back, the transaction paid another order, or WeChat Pay is being asked.',
    actions: ['grant', 'refund', 'dismiss'],
  },
  payment_contradicted: {
    meaning:
      'Granted, and WeChat Pay says otherwise than was known then: another amount was paid, or none. What was granted stays, unless the order is refunded.',
    actions: ['refund', 'dismiss'],
  },
  settling_failed: {
    meaning: 'A paid order that fails here each time it is to be settled. It is tried again by itself.',
    actions: ['refund'],
    endsBy: 'it ends when the order is granted or all of its money went back',
  },
  order_conflict: {
    meaning: 'A cloud function backed up an order that differs from the row in the table. The row was kept.',
    actions: ['dismiss'],
  },
  impossible_amount: {
    meaning: 'A backed-up order states no amount in fen. It was not written to the table.',
    actions: ['dismiss'],
  },
  package_unknown: {
    meaning: 'An order names no known package, and its amount is the price of none. It was kept as `free`.',
    actions: ['dismiss'],
  },
  order_unknown: {
    meaning: 'A payment was reported for an order that never came.',
    actions: ['adopt', 'dismiss'],
  },
  payment_unproven: {
    meaning:
      'A payment was reported for an order that is not paid in the table, and WeChat Pay did not confirm it.',
    actions: ['adopt', 'dismiss'],
  },
  transaction_mismatch: {
    meaning: 'A payment was reported with another transaction than the order has, or with another order’s.',
    actions: ['dismiss'],
  },
  unexpected_notice: {
    meaning: 'A payment notice whose status is not `paid`. It has no effect.',
    actions: ['dismiss'],
  },
  message_failed: {
    meaning: 'A message was accepted and failed here ten times.',
    actions: ['adopt', 'dismiss'],
  },
  spool_record_refused: {
    meaning: 'A message that MySQL will never take. It stays in the spool of the machine that accepted it.',
    actions: ['dismiss'],
  },
  notice_undeliverable: {
    meaning:
      'A notice that its receiver did not take in 24 hours, or never will. Its subject is the notice and not the order.',
    actions: ['resend', 'dismiss'],
  },
  refund_reported: {
    meaning: 'WeChat Pay reported a refund of an order that nobody knows.',
    actions: ['adopt', 'dismiss'],
  },
  refund_unseen: {
    meaning: 'Money of the order went back, and which refund it was is not known here.',
    actions: ['dismiss'],
  },
  refund_refused: {
    meaning: 'WeChat Pay refused the refund for good: no money moved. Refunding again takes a new request.',
    actions: ['refund', 'dismiss'],
  },
  refund_closed: {
    meaning: 'WeChat Pay closed the refund: no money moved. Refunding again takes a new request.',
    actions: ['refund', 'dismiss'],
  },
  refund_abnormal: {
    meaning: 'The money left the account and cannot reach the customer. Send it to another card.',
    actions: ['redirect', 'retry'],
    endsBy: 'it ends when the money arrives',
  },
  refund_not_enough: {
    meaning: 'The balance of the merchant does not cover the refund. Top it up; it is tried again by itself.',
    actions: ['retry'],
    endsBy: 'it ends when the refund is settled',
  },
  refund_unsettled: {
    meaning:
      'Whether the refund was made is not known for long already. It is asked about, under the same number.',
    actions: ['retry'],
    endsBy: 'it ends when the refund is settled',
  },
  refund_unproven: {
    meaning: 'The table has a refund that WeChat Pay does not know. It has no effect.',
    actions: ['retry', 'dismiss'],
  },
  refund_unclear: {
    meaning:
      'Others wrote a refund whose unit of money cannot be told, or whose order nobody knows. It has no effect.',
    actions: ['dismiss'],
  },
  refund_exceeds_paid: {
    meaning: 'More went back than was paid: look at the merchant platform.',
    actions: ['dismiss'],
  },
  refund_conflict: {
    meaning:
      'What is known of a refund, or of all refunds of an order, does not fit together: amounts, orders or states.',
    actions: ['dismiss'],
  },
};

/** A newer replica may raise kinds that this one does not know yet. */
const UNKNOWN_KIND: ExceptionKind = {
  meaning: 'Of a kind that this version does not know.',
  actions: ['dismiss'],
};

export const EXCEPTION_KINDS = Object.keys(KINDS);

export function kindOf(name: string): ExceptionKind {
  return KINDS[name] ?? UNKNOWN_KIND;
}

/** What the kind allows in this state. */
export function actionsOf({
  kind,
  status,
}: {
  kind: string;
  status: ExceptionState;
}): readonly ExceptionAction[] {
  if (status === 'open') return kindOf(kind).actions;
  return status === 'dismissed' ? ['reopen'] : [];
}
