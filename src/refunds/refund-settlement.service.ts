import { Injectable } from '@nestjs/common';
import { isDatabaseUnavailable } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import type { JobContext } from '../platform/jobs/job-runner.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { ErrorLogService } from '../platform/logging/error-log.service.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { OutTradeNo } from '../shared/ids.js';
import type { ChannelAnswer, NoAnswer } from './refund-channel.types.js';
import { RefundRecordsService } from './refund-records.service.js';
import { RefundQuestionsService } from './refund-questions.service.js';
import type { RefundWord } from './refund-questions.service.js';
import { pauseAfterUnknownMs, pauseWhileProcessingMs } from './refund-schedule.js';
import { RefundSendingService } from './refund-sending.service.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';
import type { SettlementRecord } from './refund-settlements.repository.js';
import type { ReportedRefund } from './refunds.types.js';

/** The job that follows refunds; whoever makes one due wakes it. */
export const REFUND_SETTLEMENT = 'refund-settlement';

/** A refund whose worker died is taken up after this: longer than the slowest call and the question after it. */
const CLAIM_LEASE_MS = 30_000;
/** Nothing mends itself sooner: an operator tops up the balance, or corrects a key. */
const OPERATOR_PAUSE_MS = 10 * 60_000;
/** About ten minutes of silence: from then on an operator sees it, and it goes on being asked about. */
const UNANSWERED_REPORTED = 20;
/** A refund that others claim and WeChat Pay does not know is asked about this often before it counts as made up. */
const FOREIGN_ASKS_MAX = 5;
/** An order that never comes is given up after this many questions: the money may be another shop's. */
const ORDER_ASKS_MAX = 9;
/** An accepted refund that WeChat Pay does not know any more is told to an operator after this many questions. */
const LOST_ASKS_REPORTED = 5;
/** WeChat Pay may know a refund later than it says so: what was closed on two unsigned answers is asked about again. */
const REFUSED_ASKED_AGAIN_MS = [5 * 60_000, 60 * 60_000] as const;
/** After the function took a refund, WeChat Pay itself is asked this soon. */
const CONFIRM_PAUSE_MS = 1_000;

/** What one step came to. */
type Step =
  | { readonly kind: 'answer'; readonly answer: ChannelAnswer }
  | { readonly kind: 'word'; readonly word: RefundWord }
  | { readonly kind: 'waits'; readonly ms: number }
  | { readonly kind: 'over' };

/** Follows each refund to its end: sends it, asks about it, and sends the same again only where it did not arrive. */
@Injectable()
export class RefundSettlementService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly settlements: RefundSettlementsRepository,
    private readonly records: RefundRecordsService,
    private readonly payments: PaymentsService,
    private readonly sending: RefundSendingService,
    private readonly questions: RefundQuestionsService,
    private readonly exceptions: ExceptionsService,
    private readonly logger: AppLogger,
    private readonly errors: ErrorLogService,
  ) {}

  /** Takes up what is due, one after the other, until nothing is. */
  async settleDue({ stopping }: JobContext): Promise<void> {
    while (!stopping.aborted) {
      // Most of the time nothing is due: the look locks nothing and takes one statement, the claim a transaction.
      if (!(await this.settlements.hasDue(this.unitOfWork.reader))) return;
      const refund = await this.unitOfWork.run((tx) => this.settlements.claimNext(tx, CLAIM_LEASE_MS));
      if (!refund) return;
      await this.advanceSafely(refund);
    }
  }

  /** One that fails with an error of our own holds up none behind it, and is due again when its claim runs out. */
  private async advanceSafely(refund: SettlementRecord): Promise<void> {
    try {
      await this.advance(refund);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      this.errors.record('refund.step_failed', error, { outRefundNo: refund.outRefundNo });
    }
  }

  private async advance(refund: SettlementRecord): Promise<void> {
    const step = await this.step(refund);
    if (step.kind === 'over') return;
    if (step.kind === 'waits') {
      await this.unitOfWork.run((tx) => this.settlements.deferSending(tx, refund.outRefundNo, step.ms));
      return;
    }
    const outcome = await this.unitOfWork.run(async (tx) => {
      if (await this.hasEnded(tx, refund)) return 'ended_meanwhile';
      return step.kind === 'word'
        ? this.applyWord(tx, refund, step.word)
        : this.applyAnswer(tx, refund, step.answer);
    });
    this.logger.info('refund.followed', {
      outRefundNo: refund.outRefundNo,
      outcome,
      sends: refund.sends,
      asks: refund.asks,
    });
  }

  /** A callback may have been faster: what this step learnt is old then. The order is locked before its refund, as everywhere. */
  private async hasEnded(tx: Tx, { outRefundNo, outTradeNo, status }: SettlementRecord): Promise<boolean> {
    await this.payments.lockForRefund(tx, outTradeNo as OutTradeNo);
    const now = await this.settlements.lock(tx, outRefundNo);
    return !now || now.status === 'success' || (now.status === 'closed' && status !== 'closed');
  }

  /** What may have gone out is asked about first; only what WeChat Pay does not know is sent, under the same number. */
  private async step(refund: SettlementRecord): Promise<Step> {
    const isOurs = refund.origin === 'operator' && refund.status === 'pending';
    if (refund.stage !== 'requested' && this.questions.canAsk) {
      const word = await this.questions.ask(refund.outRefundNo);
      const wasLost = word.kind === 'not_found' && isOurs && refund.stage === 'sent';
      if (!wasLost) return { kind: 'word', word };
    } else if (!isOurs) {
      return { kind: 'word', word: { kind: 'nobody_to_ask' } };
    }
    // Without credentials the same request again is also the only question there is.
    const sent = await this.sending.send(refund);
    if (sent.kind !== 'answer' || sent.answer.kind !== 'refused') return sent;
    // A refusal is not signed: whether an earlier attempt took effect, only a question tells.
    const word = this.questions.canAsk ? await this.questions.ask(refund.outRefundNo) : null;
    return word && word.kind !== 'not_found' ? { kind: 'word', word } : sent;
  }

  private async applyWord(tx: Tx, refund: SettlementRecord, word: RefundWord): Promise<string> {
    const { outRefundNo } = refund;
    switch (word.kind) {
      case 'reported':
        return this.record(tx, refund, word);
      case 'nobody_to_ask':
        await this.settlements.postpone(tx, outRefundNo, {
          delayMs: null,
          answer: 'nobody_to_ask',
          isAnswered: true,
        });
        return word.kind;
      case 'not_found':
        return this.applyNotFound(tx, refund);
      case 'unknown':
        return this.wait(tx, refund, word);
    }
  }

  private async applyAnswer(tx: Tx, refund: SettlementRecord, answer: ChannelAnswer): Promise<string> {
    const { outRefundNo, outTradeNo } = refund;
    switch (answer.kind) {
      case 'reported':
        return this.record(tx, refund, answer);
      case 'relayed':
        if (!this.questions.canAsk) return this.record(tx, refund, answer);
        await this.settlements.postpone(tx, outRefundNo, {
          delayMs:
            answer.report.status === 'PROCESSING' ? pauseWhileProcessingMs(refund.asks) : CONFIRM_PAUSE_MS,
          answer: `function_says_${answer.report.status}`,
          isAnswered: true,
        });
        return answer.kind;
      case 'refused':
        await this.records.recordRefused(tx, {
          outRefundNo,
          outTradeNo,
          why: `${answer.words} (${answer.reason})`,
          askAgainInMs: this.questions.canAsk ? REFUSED_ASKED_AGAIN_MS[0] : null,
        });
        return answer.kind;
      case 'not_enough':
        await this.exceptions.raise(tx, {
          kind: 'refund_not_enough',
          subject: outRefundNo,
          reason: `The merchant's balance does not cover this refund of the order ${outTradeNo}: top it up; it is tried again by itself.`,
          detail: { outTradeNo },
        });
        await this.settlements.postpone(tx, outRefundNo, {
          delayMs: OPERATOR_PAUSE_MS,
          answer: 'not_enough',
          isAnswered: true,
        });
        return answer.kind;
      case 'unknown':
        return this.wait(tx, refund, answer);
    }
  }

  /** The order may be missing for a while; a refund of ours never outlives it. */
  private async record(
    tx: Tx,
    refund: SettlementRecord,
    said: Extract<RefundWord, { kind: 'reported' }> | Extract<ChannelAnswer, { report: unknown }>,
  ): Promise<string> {
    const outcome = await this.records.recordReported(tx, said.report);
    if (outcome === 'order_unknown') return this.waitForOrder(tx, refund, said.report);
    if (outcome === 'conflict') {
      await this.settlements.postpone(tx, refund.outRefundNo, {
        delayMs: null,
        answer: outcome,
        isAnswered: true,
      });
    }
    return outcome;
  }

  /** WeChat Pay is asked about the order, whose row its answer makes; one that is another shop's never comes. */
  private async waitForOrder(tx: Tx, refund: SettlementRecord, report: ReportedRefund): Promise<string> {
    const { outRefundNo, outTradeNo, refundAmount, status } = report;
    await this.payments.askSoon(tx, outTradeNo);
    const isGivenUp = refund.asks + 1 >= ORDER_ASKS_MAX;
    if (isGivenUp) {
      await this.exceptions.raise(tx, {
        kind: 'refund_reported',
        subject: outTradeNo,
        reason: `WeChat Pay reports the refund ${outRefundNo} of ${refundAmount.toYuan()} yuan as ${status}, of an order that nobody knows.`,
        detail: { outRefundNo },
      });
    }
    await this.settlements.postpone(tx, refund.outRefundNo, {
      delayMs: isGivenUp ? null : pauseWhileProcessingMs(refund.asks),
      answer: 'order_unknown',
      isAnswered: true,
    });
    return 'order_unknown';
  }

  private async applyNotFound(tx: Tx, refund: SettlementRecord): Promise<string> {
    const { outRefundNo, outTradeNo, asks } = refund;
    // What WeChat Pay has accepted is real: an answer that it knows none is not signed.
    const isClaimOnly =
      refund.origin === 'foreign' && refund.status === 'pending' && refund.stage !== 'accepted';
    if (isClaimOnly && asks + 1 >= FOREIGN_ASKS_MAX) {
      await this.exceptions.raise(tx, {
        kind: 'refund_unproven',
        subject: outRefundNo,
        reason: `The table has this refund of the order ${outTradeNo}, and WeChat Pay knows no such refund: it has no effect.`,
        detail: { outTradeNo },
      });
      await this.settlements.disprove(tx, outRefundNo);
      return 'disproven';
    }
    if (refund.stage === 'accepted' && asks + 1 >= LOST_ASKS_REPORTED) {
      await this.exceptions.raise(tx, {
        kind: 'refund_unsettled',
        subject: outRefundNo,
        reason: `WeChat Pay had accepted this refund of the order ${outTradeNo}, and does not know it any more. It goes on being asked about.`,
        detail: { outTradeNo },
      });
    }
    const delayMs =
      refund.status === 'closed' ? (REFUSED_ASKED_AGAIN_MS[asks + 1] ?? null) : pauseWhileProcessingMs(asks);
    await this.settlements.postpone(tx, outRefundNo, { delayMs, answer: 'not_found', isAnswered: true });
    return 'not_found';
  }

  private async wait(tx: Tx, refund: SettlementRecord, silence: NoAnswer): Promise<string> {
    const { outRefundNo, outTradeNo, unanswered } = refund;
    if (silence.isMisconfigured || unanswered + 1 === UNANSWERED_REPORTED) {
      await this.exceptions.raise(tx, {
        kind: 'refund_unsettled',
        subject: outRefundNo,
        reason: `Whether this refund of the order ${outTradeNo} was made is not known (${silence.reason}): ${silence.words} It goes on being asked about, under the same number.`,
        detail: { outTradeNo },
      });
    }
    const delayMs = silence.isMisconfigured
      ? OPERATOR_PAUSE_MS
      : Math.max(silence.pauseMs, pauseAfterUnknownMs(unanswered));
    await this.settlements.postpone(tx, outRefundNo, {
      delayMs,
      answer: silence.words ? `${silence.reason}: ${silence.words}` : silence.reason,
      isAnswered: false,
    });
    return 'unknown';
  }
}
