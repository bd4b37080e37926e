import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';

/** What refunds do to their order: all of the money back ends it and what it gave; a part leaves it paid. */
@Injectable()
export class RefundConsequencesService {
  constructor(
    private readonly settlements: RefundSettlementsRepository,
    private readonly payments: PaymentsService,
    private readonly exceptions: ExceptionsService,
  ) {}

  /** Compares what went back for certain with what was paid, to the fen. May be called again at any time. */
  async apply(tx: Tx, outTradeNo: OutTradeNo, by: string): Promise<'refunded' | 'partial' | 'unpaid'> {
    const order = await this.payments.lockForRefund(tx, outTradeNo);
    const { refundedFen, orderFen, reason } = await this.settlements.sumSuccess(tx, outTradeNo);
    const paidFen = orderFen ?? order?.amount?.fen ?? null;
    if (!order || paidFen === null || refundedFen === 0) return 'unpaid';
    if (refundedFen > paidFen) await this.reportExcess(tx, outTradeNo, { refundedFen, paidFen });
    if (refundedFen < paidFen) {
      if (order.status === 'refunded') await this.reportPartOnly(tx, outTradeNo, { refundedFen, paidFen });
      return 'partial';
    }
    if (await this.payments.recordRefunded(tx, { outTradeNo, reason: reason ?? REASON_UNKNOWN, by })) {
      return 'refunded';
    }
    // What came back was paid: WeChat Pay is asked how, and the sweep takes this up again after its answer.
    if (!(await this.payments.askSoon(tx, outTradeNo))) {
      await this.exceptions.raise(tx, {
        kind: 'refund_conflict',
        subject: outTradeNo,
        reason: `All of the money went back, but the order is ${order.status} here.`,
      });
    }
    return 'unpaid';
  }

  private async reportPartOnly(
    tx: Tx,
    outTradeNo: OutTradeNo,
    { refundedFen, paidFen }: { refundedFen: number; paidFen: number },
  ): Promise<void> {
    await this.exceptions.raise(tx, {
      kind: 'refund_conflict',
      subject: outTradeNo,
      reason: `The table calls the order refunded, but ${Money.ofFen(refundedFen).toYuan()} of ${Money.ofFen(paidFen).toYuan()} yuan went back.`,
    });
  }

  private async reportExcess(
    tx: Tx,
    outTradeNo: OutTradeNo,
    { refundedFen, paidFen }: { refundedFen: number; paidFen: number },
  ): Promise<void> {
    await this.exceptions.raise(tx, {
      kind: 'refund_exceeds_paid',
      subject: outTradeNo,
      reason: `${Money.ofFen(refundedFen).toYuan()} yuan went back of an order of ${Money.ofFen(paidFen).toYuan()}.`,
    });
  }
}

const REASON_UNKNOWN = 'refunded outside of this backend';
