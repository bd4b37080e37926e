import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { OutboxService } from '../platform/outbox/outbox.service.js';
import { PaymentsService } from '../payments/payments.service.js';
import { refundIdFor } from './refund-numbers.js';
import { pauseWhileAbnormalMs, pauseWhileProcessingMs } from './refund-schedule.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';
import type { SettlementRecord } from './refund-settlements.repository.js';
import { nextRefundState } from './refund.state.js';
import type { RefundEvent, RefundState } from './refund.state.js';
import { RefundsRepository } from './refunds.repository.js';
import type { ReportedOutcome, ReportedRefund } from './refunds.types.js';
import { RefundConsequencesService } from './refund-consequences.service.js';

const EVENT_BY_STATUS: Record<ReportedRefund['status'], RefundEvent> = {
  PROCESSING: 'processing',
  SUCCESS: 'succeeded',
  CLOSED: 'closed',
  ABNORMAL: 'abnormal',
};

/** Its own signature stands under these. */
const SIGNED_SOURCES: ReadonlySet<ReportedRefund['source']> = new Set([
  'wechat-query',
  'wechat-callback',
  'wechat-answer',
]);

/** Exceptions about a refund that end when it is known to have moved, or never to have moved, the money. */
const ENDED_WHEN_SETTLED = [
  'refund_abnormal',
  'refund_not_enough',
  'refund_unsettled',
  'refund_unproven',
  'refund_unclear',
  'refund_unseen',
  'refund_reported',
] as const;

/** "No money moved" was wrong. */
const ENDED_WHEN_REOPENED = ['refund_refused', 'refund_closed'] as const;

/**
 * The one road on which a refund gets its state and its order the consequences. Answers, callbacks, queries and the
 * table's own word all end here; any number of calls in any order and at once have the effect of one.
 */
@Injectable()
export class RefundRecordsService {
  constructor(
    private readonly settlements: RefundSettlementsRepository,
    private readonly refunds: RefundsRepository,
    private readonly payments: PaymentsService,
    private readonly consequences: RefundConsequencesService,
    private readonly exceptions: ExceptionsService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
    private readonly logger: AppLogger,
  ) {}

  async recordReported(tx: Tx, report: ReportedRefund): Promise<ReportedOutcome> {
    if (!(await this.payments.lockForRefund(tx, report.outTradeNo))) return 'order_unknown';
    const known = await this.lockOrInsert(tx, report);
    const next = nextRefundState(known.status, EVENT_BY_STATUS[report.status]);
    // Only WeChat Pay itself opens again what was closed.
    const isHearsay = known.status === 'closed' && next !== 'closed' && !SIGNED_SOURCES.has(report.source);
    if (next === null || isHearsay) return this.reportConflict(tx, known, report);
    await this.reportDifference(tx, known, report);
    await this.settlements.record(tx, report.outRefundNo, {
      status: next,
      outTradeNo: report.outTradeNo,
      refundAmount: report.refundAmount,
      orderAmount: report.orderAmount,
      answer: report.status,
      dueInMs: pauseMs(next, known),
    });
    await this.show(tx, report, next, known);
    if (next !== known.status) await this.enter(tx, next, known, report);
    if (next === 'success') await this.consequences.apply(tx, report.outTradeNo, `system:${report.source}`);
    return next;
  }

  /** WeChat Pay refused the request and has no such refund: no money moved, and none will under this number. */
  async recordRefused(
    tx: Tx,
    refused: { outRefundNo: string; outTradeNo: string; why: string; askAgainInMs: number | null },
  ): Promise<void> {
    const known = await this.settlements.lock(tx, refused.outRefundNo);
    if (!known || known.status !== 'pending') return;
    await this.settlements.recordRefused(tx, refused.outRefundNo, {
      answer: refused.why,
      dueInMs: refused.askAgainInMs,
    });
    await this.refunds.showClosed(tx, refused.outRefundNo);
    await this.note(tx, known, { status: 'closed', by: 'system:refunds', reason: refused.why });
    await this.exceptions.raise(tx, {
      kind: 'refund_refused',
      subject: refused.outRefundNo,
      reason: `WeChat Pay refuses this refund of the order ${refused.outTradeNo}: ${refused.why}`,
      detail: { outTradeNo: refused.outTradeNo },
    });
    await this.resolve(tx, refused.outRefundNo, 'it was refused');
  }

  private async lockOrInsert(tx: Tx, report: ReportedRefund): Promise<SettlementRecord> {
    const { outRefundNo, outTradeNo } = report;
    const known = await this.settlements.lock(tx, outRefundNo);
    if (known) return known;
    await this.settlements.insertForeign(tx, { outRefundNo, outTradeNo, dueInMs: null });
    const inserted = await this.settlements.lock(tx, outRefundNo);
    if (!inserted) throw new Error('a refund that was just written must be there');
    return inserted;
  }

  /** Callers read the table: it says what is known, in yuan. What nobody confirmed yet is left as its writer put it. */
  private async show(
    tx: Tx,
    report: ReportedRefund,
    status: RefundState,
    known: SettlementRecord,
  ): Promise<void> {
    const row =
      (await this.refunds.lock(tx, report.outRefundNo)) ?? (await this.insertRow(tx, report, known));
    if (status === 'pending' && known.status === 'pending') {
      if (report.refundId) await this.refunds.completeRefundId(tx, report.outRefundNo, report.refundId);
      return;
    }
    await this.refunds.show(tx, row.id, {
      status,
      outTradeNo: report.outTradeNo,
      refundId: report.refundId,
      transactionId: report.transactionId,
      refundAmount: report.refundAmount,
      orderAmount: report.orderAmount,
      refundedAt: status === 'success' ? report.succeededAt : null,
    });
  }

  private async insertRow(tx: Tx, report: ReportedRefund, known: SettlementRecord): Promise<{ id: string }> {
    const id = refundIdFor(report.outRefundNo);
    try {
      await this.refunds.insert(tx, { ...report, id, reason: known.reason });
    } catch (error) {
      // A caller wrote the row meanwhile: that one counts.
      if (!isDuplicateEntry(error)) throw error;
    }
    return (await this.refunds.lock(tx, report.outRefundNo)) ?? { id };
  }

  /** What follows a change of state, once for each. */
  private async enter(
    tx: Tx,
    status: RefundState,
    known: SettlementRecord,
    report: ReportedRefund,
  ): Promise<void> {
    const { outRefundNo, outTradeNo } = report;
    await this.note(tx, known, { status, by: `system:${report.source}`, amountFen: report.refundAmount.fen });
    if (status === 'abnormal') {
      await this.resolve(tx, outRefundNo, 'WeChat Pay has it after all', ENDED_WHEN_REOPENED);
      await this.exceptions.raise(tx, {
        kind: 'refund_abnormal',
        subject: outRefundNo,
        reason: `The ${report.refundAmount.toYuan()} yuan of the order ${outTradeNo} left the account and cannot reach the customer: send them to another card, and never refund again under a new number.`,
        detail: { outTradeNo },
      });
      return;
    }
    if (status === 'pending') {
      await this.resolve(tx, outRefundNo, 'WeChat Pay has it after all', ENDED_WHEN_REOPENED);
      return;
    }
    await this.resolve(tx, outRefundNo, status === 'success' ? 'the money arrived' : 'no money moved');
    if (status === 'closed') {
      await this.exceptions.raise(tx, {
        kind: 'refund_closed',
        subject: outRefundNo,
        reason: `WeChat Pay closed this refund of the order ${outTradeNo}: no money moved. Refunding again takes a new request.`,
        detail: { outTradeNo },
      });
    }
    if (status === 'success') {
      await this.resolve(tx, outRefundNo, 'the money arrived', ENDED_WHEN_REOPENED);
      // What was not seen is somebody else's, or one of ours that counted as closed: others are known from their request on.
      if (known.origin === 'foreign' || known.status === 'closed')
        await this.resolve(tx, outTradeNo, `the refund ${outRefundNo} is known`);
      await this.outbox.stage(tx, {
        topic: 'payment_refunded',
        key: `payment_refunded:${outRefundNo}`,
        payload: {
          outTradeNo,
          outRefundNo,
          amountFen: report.refundAmount.fen,
          orderAmountFen: report.orderAmount.fen,
        },
      });
    }
  }

  private async note(
    tx: Tx,
    known: SettlementRecord,
    change: { status: RefundState; by: string; amountFen?: number; reason?: string },
  ): Promise<void> {
    this.logger.info('refund.settled', { outRefundNo: known.outRefundNo, status: change.status });
    await this.audit.append(tx, {
      actor: change.by,
      action: `refund.${change.status}`,
      targetType: 'refund',
      targetId: known.outRefundNo,
      before: { status: known.status },
      after: { status: change.status, outTradeNo: known.outTradeNo, amountFen: change.amountFen },
      reason: change.reason,
    });
  }

  private async reportConflict(
    tx: Tx,
    known: SettlementRecord,
    report: ReportedRefund,
  ): Promise<'conflict' | RefundState> {
    // An older message about a refund that has gone on since: a callback may overtake the answer.
    if (report.status === 'PROCESSING') return known.status;
    await this.exceptions.raise(tx, {
      kind: 'refund_conflict',
      subject: report.outRefundNo,
      reason: `This refund is settled as ${known.status}, but ${report.status} was reported (${report.source}).`,
      detail: { outTradeNo: report.outTradeNo },
    });
    return 'conflict';
  }

  /** WeChat Pay's word counts, also against what was asked for or what a row of others says; an operator learns of it. */
  private async reportDifference(tx: Tx, known: SettlementRecord, report: ReportedRefund): Promise<void> {
    const differences: string[] = [];
    if (known.refundAmount && !known.refundAmount.equals(report.refundAmount)) {
      differences.push(
        `${known.refundAmount.toYuan()} yuan here, ${report.refundAmount.toYuan()} at WeChat Pay`,
      );
    }
    if (known.outTradeNo !== report.outTradeNo) {
      differences.push(`the order ${known.outTradeNo} here, ${report.outTradeNo} at WeChat Pay`);
    }
    if (differences.length === 0) return;
    await this.exceptions.raise(tx, {
      kind: 'refund_conflict',
      subject: report.outRefundNo,
      reason: `This refund differs: ${differences.join('; ')}. What WeChat Pay says was taken over.`,
      detail: { outTradeNo: report.outTradeNo },
    });
  }

  private async resolve(
    tx: Tx,
    subject: string,
    resolution: string,
    kinds: readonly string[] = ENDED_WHEN_SETTLED,
  ): Promise<void> {
    await this.exceptions.resolveAll(tx, { kinds, subject, by: 'system:refunds', resolution });
  }
}

function pauseMs(status: RefundState, known: SettlementRecord): number | null {
  if (status === 'pending') return pauseWhileProcessingMs(known.asks);
  return status === 'abnormal' ? pauseWhileAbnormalMs() : null;
}
