import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import type { ExceptionState } from '../platform/exceptions/exceptions.types.js';
import type { OrderRecord } from './order-record.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { PaidClaim, PaymentEvidence } from './payments.types.js';

/** What WeChat Pay said of an order, as the exception about it keeps it. */
export type WechatWord = {
  readonly state: 'paid' | 'refunded' | 'not_paid';
  readonly amountFen: number | null;
};

export const NOT_PAID: WechatWord = { state: 'not_paid', amountFen: null };

/**
 * Paid orders that an operator decides about. What WeChat Pay said stands in the exception, because nobody else keeps it: a
 * notice and the table know less, and must not undo what its word decided.
 */
@Injectable()
export class HoldsService {
  constructor(
    private readonly orders: PaymentOrdersRepository,
    private readonly exceptions: ExceptionsService,
  ) {}

  /**
   * @param told what WeChat Pay said, where it said something. One that is against the order, or against what it said before,
   * opens a dismissed hold again; one that only bears out what was dismissed does not.
   */
  async hold(tx: Tx, order: OrderRecord, reason: string, told: WechatWord | null = null): Promise<'held'> {
    const { outTradeNo, id: orderId, packageType, amount } = order;
    const known = told && (await this.find(tx, order));
    const isOther = told !== null && !isSame(told, known?.told ?? null);
    await this.exceptions.raise(tx, {
      kind: 'payment_held',
      subject: outTradeNo,
      reason,
      detail: { orderId, packageType, amountFen: amount?.fen ?? null, ...(told && { wechatpay: told }) },
      isNews: isOther && (known?.status === 'open' || !!known?.told || !agrees(order, told)),
    });
    return 'held';
  }

  /** Why WeChat Pay's word still holds the order, although there is this claim; null when no such word does. */
  async findStanding(tx: Tx, order: OrderRecord, { evidence, source }: PaidClaim): Promise<string | null> {
    const held = await this.find(tx, order);
    if (!held?.told || held.status === 'resolved' || agrees(order, held.told)) return null;
    if (!evidence) return held.reason;
    // A callback may be older than the refund; what WeChat Pay answers is how it is now.
    const isOlder = held.told.state === 'refunded' && !evidence.refunded && source !== 'wechat-query';
    return isOlder ? held.reason : null;
  }

  /** WeChat Pay's last word about an order that is or was held. */
  async findTold(tx: Tx, order: OrderRecord): Promise<WechatWord | null> {
    return (await this.find(tx, order))?.told ?? null;
  }

  /** WeChat Pay's word against what the order was granted for already, unless the operator who granted it knew that word. */
  async contradict(
    tx: Tx,
    order: OrderRecord,
    about: { readonly told: WechatWord; readonly reason: string; readonly grantedBy: string },
  ): Promise<void> {
    const { told, reason, grantedBy } = about;
    if (!grantedBy.startsWith('system:') && isSame(told, await this.findTold(tx, order))) return;
    await this.exceptions.raise(tx, {
      kind: 'payment_contradicted',
      subject: order.outTradeNo,
      reason,
      detail: { orderId: order.id, packageType: order.packageType, wechatpay: told },
    });
  }

  /** WeChat Pay does not list the refunds of an order: the notice of it, or the bill of its day, will tell which it is. */
  async reportUnseenRefund(tx: Tx, order: OrderRecord): Promise<void> {
    if (await this.orders.hasRefund(tx, order.outTradeNo)) return;
    await this.exceptions.raise(tx, {
      kind: 'refund_unseen',
      subject: order.outTradeNo,
      reason: 'WeChat Pay says that money of this order went back, and no refund of it is known here yet.',
    });
  }

  /** WeChat Pay says after all what was granted for. */
  async endContradiction(tx: Tx, { outTradeNo }: OrderRecord): Promise<void> {
    await this.exceptions.resolveAll(tx, {
      kinds: ['payment_contradicted'],
      subject: outTradeNo,
      by: 'system:payments',
      resolution: 'WeChat Pay says the same',
    });
  }

  /** The hold of the order, whatever became of it; null when it never was held. */
  async find(
    tx: Tx,
    { outTradeNo }: OrderRecord,
  ): Promise<{ status: ExceptionState; reason: string; told: WechatWord | null } | null> {
    const held = await this.exceptions.find(tx, 'payment_held', outTradeNo);
    return held && { ...held, told: (held.detail.wechatpay as WechatWord | undefined) ?? null };
  }
}

export function wordOf({ amount, refunded }: PaymentEvidence): WechatWord {
  return { state: refunded ? 'refunded' : 'paid', amountFen: amount.fen };
}

/** What WeChat Pay says against the order; null when the two agree. */
export function contradictionOf({ amount }: OrderRecord, evidence: PaymentEvidence): string | null {
  if (evidence.refunded)
    return 'WeChat Pay says that it was refunded, in part or whole, before it was granted.';
  if (amount?.equals(evidence.amount)) return null;
  const stored = amount?.toYuan() ?? 'no amount';
  return `WeChat Pay was paid ${evidence.amount.toYuan()} yuan, the order says ${stored}.`;
}

function agrees({ amount }: OrderRecord, { state, amountFen }: WechatWord): boolean {
  return state === 'paid' && amount?.fen === amountFen;
}

function isSame(a: WechatWord, b: WechatWord | null): boolean {
  return a.state === b?.state && a.amountFen === b.amountFen;
}
