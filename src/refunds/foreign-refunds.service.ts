import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { RefundableOrder } from '../payments/payments.types.js';
import { Clock } from '../shared/clock.js';
import { isOutTradeNo } from '../shared/ids.js';
import { readForeignAmounts } from './refund-amounts.js';
import { RefundQuestionsService } from './refund-questions.service.js';
import { RefundRecordsService } from './refund-records.service.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';
import type { SettlementRecord } from './refund-settlements.repository.js';
import { RefundsRepository } from './refunds.repository.js';
import type { RefundRow } from './refunds.repository.js';
import type { ReportedRefund } from './refunds.types.js';

const REPORTED_BY_STATUS = { success: 'SUCCESS', closed: 'CLOSED', abnormal: 'ABNORMAL' } as const;

/** Refunds that others made: any user of the mini program can ask the function for one, and shops use the merchant platform. */
@Injectable()
export class ForeignRefundsService {
  constructor(
    private readonly settlements: RefundSettlementsRepository,
    private readonly refunds: RefundsRepository,
    private readonly records: RefundRecordsService,
    private readonly payments: PaymentsService,
    private readonly questions: RefundQuestionsService,
    private readonly exceptions: ExceptionsService,
    private readonly clock: Clock,
  ) {}

  /** Takes up what a row of `refunds` says: WeChat Pay is asked where it can be, else the row counts as far as it is clear. */
  async take(tx: Tx, outRefundNo: string): Promise<string> {
    const order = await this.lockOrder(tx, outRefundNo);
    const known = await this.settlements.lock(tx, outRefundNo);
    const row = await this.refunds.lock(tx, outRefundNo);
    if (!row) return 'gone';
    if (known && (known.status === 'success' || known.status === 'closed')) {
      return this.restore(tx, row, known);
    }
    if (!known) {
      await this.settlements.insertForeign(tx, {
        outRefundNo: row.outRefundNo,
        outTradeNo: row.outTradeNo,
        dueInMs: this.questions.canAsk ? 0 : null,
      });
    }
    // Ours is followed by sending it again, which also asks: what others write over its row proves nothing.
    if (!this.questions.canAsk && known?.origin === 'operator') return this.restore(tx, row, known);
    if (!this.questions.canAsk) return this.believe(tx, row, order);
    if (known) await this.settlements.hurry(tx, outRefundNo);
    return 'asked';
  }

  /** Has WeChat Pay asked about a refund that its bill shows, also one that was given up. True when it was not known here. */
  async follow(tx: Tx, refund: { outRefundNo: string; outTradeNo: string }): Promise<boolean> {
    if (await this.settlements.insertForeign(tx, { ...refund, dueInMs: 0 })) return true;
    await this.settlements.reopen(tx, refund.outRefundNo);
    return false;
  }

  /** The order is locked before its refund, as everywhere. */
  private async lockOrder(tx: Tx, outRefundNo: string): Promise<RefundableOrder | null> {
    const outTradeNo = await this.refunds.findOutTradeNo(tx, outRefundNo);
    return isOutTradeNo(outTradeNo) ? this.payments.lockForRefund(tx, outTradeNo) : null;
  }

  /** What is settled stays so, whatever is written over it. */
  private async restore(tx: Tx, row: RefundRow, known: SettlementRecord): Promise<string> {
    if (!known.refundAmount || !known.orderAmount) return 'unclear';
    await this.refunds.show(tx, row.id, {
      status: known.status,
      outTradeNo: known.outTradeNo,
      refundId: null,
      transactionId: null,
      refundAmount: known.refundAmount,
      orderAmount: known.orderAmount,
      refundedAt: null,
    });
    return 'restored';
  }

  private async believe(tx: Tx, row: RefundRow, order: RefundableOrder | null): Promise<string> {
    if (row.status === 'pending') return 'waits';
    const amounts = order?.amount ? readForeignAmounts(row, order.amount) : null;
    if (!order || !amounts) {
      await this.exceptions.raise(tx, {
        kind: 'refund_unclear',
        subject: row.outRefundNo,
        reason: order
          ? `A refund of ${row.refundYuan} of ${row.totalYuan} was written for the order ${row.outTradeNo}, whose amount is ${order.amount?.toYuan() ?? 'unknown'}: its unit cannot be told, so it has no effect.`
          : `A refund was written for the order ${row.outTradeNo}, which nobody knows.`,
        detail: { outTradeNo: row.outTradeNo, status: row.status },
      });
      return 'unclear';
    }
    const report: ReportedRefund = {
      outRefundNo: row.outRefundNo,
      outTradeNo: order.outTradeNo,
      refundId: null,
      transactionId: order.transactionId,
      status: REPORTED_BY_STATUS[row.status],
      refundAmount: amounts.refund,
      orderAmount: amounts.total,
      succeededAt: row.refundedAt ?? this.clock.now(),
      source: 'table',
    };
    return this.records.recordReported(tx, report);
  }
}
