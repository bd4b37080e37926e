import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import { isDatabaseUnavailable } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { EdgeActivity } from '../platform/inbox/edge-activity.js';
import { GroupCommit } from '../platform/inbox/group-commit.js';
import type { JobContext } from '../platform/jobs/job-runner.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { ErrorLogService } from '../platform/logging/error-log.service.js';
import { scrubError } from '../platform/logging/scrub.js';
import { Clock } from '../shared/clock.js';
import { isOutTradeNo } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { WechatpayError } from '../wechatpay/wechatpay.types.js';
import type { WechatpayOrder, WechatpayPaidOrder } from '../wechatpay/wechatpay.types.js';
import { OrderQueriesRepository } from './order-queries.repository.js';
import type { DueQuery } from './order-queries.repository.js';
import type { OrderAnswer } from './orders.types.js';
import { PaymentsService } from './payments.service.js';
import type { PaidClaim, PaidOutcome } from './payments.types.js';
import { UsualPaymentsService } from './usual-payments.service.js';
import { pauseAfterUnknownMs, pauseUntilNextAskMs, PREPAY_LIFE_MS } from './query-schedule.js';

/** Questions claimed in one go, and asked a few at a time. */
const CLAIM_MAX = 40;
const ASKED_AT_ONCE_MAX = 8;
/**
 * Between two questions of one replica: WeChat Pay allows 300 a second in all, and each costs a signature and the proof of
 * another, which are not done in a row while somebody waits for an answer of ours.
 */
const ASKED_EVERY_MS = 1_000 / 60;
/** What a question takes of the processors of all who take part, its answer recorded: with the rest by that, 12 go in a busy second. */
const ASK_WORKS_MS = 17;
/** While more are asked about, about so many answers are recorded together. */
const ANSWERS_TOGETHER = 4;
/** A question whose asker died is asked again after this. */
const CLAIM_LEASE_MS = 60_000;
/** None is begun later than this after its claim: asking, closing and asking again take 15 s at most. */
const BEGUN_WITHIN_MS = 40_000;
const MINUTE_MS = 60_000;
/** After this many questions without an answer a paid row is judged by what the table says. */
const UNREACHABLE_AFTER_ASKS = 3;
/** A wrong key or number does not mend itself. */
const MISCONFIGURED_PAUSE_MS = 10 * MINUTE_MS;

/** A payment that WeChat Pay told; `outcome` is there once it was recorded among others. */
type PaidAnswer = { readonly claim: PaidClaim; outcome: PaidOutcome | null };

/** What WeChat Pay said, as far as it matters here. */
type Word =
  | { readonly kind: 'paid'; readonly order: WechatpayPaidOrder }
  | { readonly kind: 'open' | 'closed' | 'not_found' }
  | { readonly kind: 'no_answer'; readonly reason: string; readonly pauseMs: number };

/** Asks WeChat Pay about orders and adopts what it says: paid with its own time and amount, or closed. Unknown changes nothing. */
@Injectable()
export class OrderQueriesService {
  /** Answers that come while others are recorded, or soon after the first while more are asked about, are recorded together. */
  private readonly answers = new GroupCommit<PaidAnswer>((answers) => this.recordTogether(answers), {
    batchMax: CLAIM_MAX,
    waitingMax: CLAIM_MAX,
    gatherMs: () => (this.left > 0 ? ANSWERS_TOGETHER * this.everyMs : 0),
  });
  /** Of the questions claimed last, those that are not asked yet, and how long the first of them had been due. */
  private left = 0;
  private waitedMs = 0;
  private nextAtMs = 0;
  private everyMs = ASKED_EVERY_MS;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly queries: OrderQueriesRepository,
    private readonly payments: PaymentsService,
    private readonly usual: UsualPaymentsService,
    private readonly wechatpay: WechatpayService,
    private readonly edge: EdgeActivity,
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
    private readonly errors: ErrorLogService,
  ) {}

  get canAsk(): boolean {
    return this.wechatpay.isConfigured;
  }

  /** How many questions are due now, and for how long the first one has been. */
  backlog(): Promise<{ due: number; oldestDueSeconds: number }> {
    return this.queries.backlog(this.unitOfWork.reader);
  }

  /** Asks what is due, until nothing is. */
  async askDue({ stopping }: JobContext): Promise<void> {
    while (!stopping.aborted) {
      const startedMs = performance.now();
      const due = await this.unitOfWork.run((tx) =>
        this.queries.claimDue(tx, { limit: CLAIM_MAX, leaseMs: CLAIM_LEASE_MS }),
      );
      const lane = async () => {
        for (let query = due.shift(); query; query = due.shift()) {
          await this.takeTurn(stopping);
          this.left -= 1;
          if (stopping.aborted || performance.now() - startedMs > BEGUN_WITHIN_MS) {
            due.push(query);
            return;
          }
          await this.askSafely(query);
        }
      };
      const claimed = due.length;
      this.left = claimed;
      this.waitedMs = due[0]?.dueForMs ?? 0;
      const lanes = await Promise.allSettled(Array.from({ length: ASKED_AT_ONCE_MAX }, lane));
      const failure = lanes.find(({ status }) => status === 'rejected');
      if (due.length > 0) await this.giveBack(due);
      if (failure?.status === 'rejected') throw failure.reason;
      if (claimed < CLAIM_MAX) return;
    }
  }

  /** Resolves when the next question may be asked: one after the other, and more slowly while others go first. */
  private async takeTurn(stopping: AbortSignal): Promise<void> {
    const nowMs = performance.now();
    const atMs = Math.max(this.nextAtMs, nowMs);
    const rest = { workedMs: ASK_WORKS_MS, waitedMs: this.waitedMs, isMore: true };
    this.everyMs = ASKED_EVERY_MS + this.edge.restAfter(rest);
    this.nextAtMs = atMs + this.everyMs;
    if (atMs > nowMs) await sleep(atMs - nowMs, undefined, { signal: stopping }).catch(() => undefined);
  }

  /** Asks about one order now, outside the schedule, and adopts the answer. Null when there was none. */
  async askNow(outTradeNo: OutTradeNo, options: { deadlineMs: number }): Promise<OrderAnswer | null> {
    const word = await this.ask(outTradeNo, options);
    if (word.kind === 'no_answer') return null;
    if (word.kind === 'paid') await this.unitOfWork.run((tx) => this.adopt(tx, word.order));
    if (word.kind === 'closed') await this.unitOfWork.run((tx) => this.payments.recordClosed(tx, outTradeNo));
    else if (word.kind !== 'paid')
      await this.unitOfWork.run((tx) => this.payments.recordOpen(tx, outTradeNo));
    return word.kind;
  }

  /** Claimed and not asked: due at once for whoever asks next. Where that fails, the claim runs out by itself. */
  private async giveBack(queries: readonly DueQuery[]): Promise<void> {
    await this.queries.giveBack(this.unitOfWork.reader, queries).catch((error: unknown) => {
      const { code, message } = scrubError(error);
      this.logger.warned('order.questions_not_given_back', { code, reason: message });
    });
  }

  /** A question that fails with an error of our own holds up none behind it, and is due again when its claim runs out. */
  private async askSafely(query: DueQuery): Promise<void> {
    try {
      await this.askAbout(query);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      this.errors.record('order.ask_failed', error, { outTradeNo: query.outTradeNo });
    }
  }

  private async askAbout(query: DueQuery): Promise<void> {
    const { outTradeNo } = query;
    if (!isOutTradeNo(outTradeNo)) {
      await this.queries.remove(this.unitOfWork.reader, outTradeNo);
      return;
    }
    const ageMs = await this.ageMs(query, outTradeNo);
    const word = await this.ask(outTradeNo);
    const mayPay = word.kind === 'open' || word.kind === 'not_found';
    const last = mayPay && ageMs >= this.lifeMs(word) ? await this.close(outTradeNo) : word;
    const outcome =
      (last.kind === 'paid' ? await this.settleAmongOthers(last.order) : null) ??
      (await this.unitOfWork.run((tx) => this.settle(tx, { query, outTradeNo, ageMs, word: last })));
    this.logger.info('order.asked', { outTradeNo, answer: last.kind, outcome, asks: query.asks + 1 });
  }

  /** Null when it is not a usual payment, or there were no others: it goes alone then. */
  private async settleAmongOthers(order: WechatpayPaidOrder): Promise<PaidOutcome | null> {
    const answer: PaidAnswer = { claim: this.toClaim(order), outcome: null };
    try {
      await this.answers.add(answer);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // Which of them it was shows when each goes alone.
      const { code, message } = scrubError(error);
      this.logger.warned('order.answers_together_failed', { code, reason: message });
    }
    return answer.outcome;
  }

  private async recordTogether(answers: readonly PaidAnswer[]): Promise<void> {
    if (answers.length === 1) return;
    const claims = answers.map(({ claim }) => claim);
    const outcomes = await this.unitOfWork.run(async (tx) => {
      const recorded = await this.usual.recordTogether(tx, claims);
      await this.queries.remove(tx, ...[...recorded.keys()].map(({ outTradeNo }) => outTradeNo));
      return recorded;
    });
    for (const answer of answers) answer.outcome = outcomes.get(answer.claim) ?? null;
  }

  private async settle(
    tx: Tx,
    at: { query: DueQuery; outTradeNo: OutTradeNo; ageMs: number; word: Word },
  ): Promise<PaidOutcome | 'failed' | 'left' | 'again'> {
    const { query, outTradeNo, ageMs, word } = at;
    if (word.kind === 'paid' || word.kind === 'closed') {
      const outcome =
        word.kind === 'paid'
          ? await this.adopt(tx, word.order)
          : (await this.payments.recordClosed(tx, outTradeNo))
            ? 'failed'
            : 'left';
      await this.queries.remove(tx, outTradeNo);
      return outcome;
    }
    if (word.kind !== 'no_answer') {
      await this.payments.recordOpen(tx, outTradeNo);
      const deadlineMs = this.lifeMs(word);
      // Overdue and still open: the close was refused for a reason that may last.
      const delayMs =
        ageMs < deadlineMs ? pauseUntilNextAskMs({ ageMs, deadlineMs }) : pauseAfterUnknownMs(query.asks);
      await this.queries.postpone(tx, outTradeNo, { delayMs, answer: word.kind, unanswered: 0 });
      return 'again';
    }
    const unanswered = query.unanswered + 1;
    const isUnreachable = unanswered >= UNREACHABLE_AFTER_ASKS;
    // The order is locked before its question, as everywhere.
    const outcome = isUnreachable
      ? await this.payments.judgeByTable(tx, outTradeNo, this.clock.now())
      : 'again';
    const delayMs = Math.max(word.pauseMs, pauseAfterUnknownMs(query.unanswered));
    await this.queries.postpone(tx, outTradeNo, { delayMs, answer: word.reason, unanswered });
    return outcome;
  }

  private adopt(tx: Tx, order: WechatpayPaidOrder): Promise<PaidOutcome> {
    return this.payments.recordPaid(tx, this.toClaim(order));
  }

  private toClaim(order: WechatpayPaidOrder): PaidClaim {
    return this.payments.toClaim(order, { source: 'wechat-query', seenAt: this.clock.now() });
  }

  private async ask(outTradeNo: OutTradeNo, options?: { deadlineMs: number }): Promise<Word> {
    try {
      return toWord(await this.wechatpay.queryByOutTradeNo(outTradeNo, options));
    } catch (error) {
      return this.toNoAnswer(outTradeNo, error);
    }
  }

  /** Closed for good at WeChat Pay, or what it says instead: a close is refused when the customer was faster. */
  private async close(outTradeNo: OutTradeNo): Promise<Word> {
    try {
      await this.wechatpay.closeOrder(outTradeNo);
      return { kind: 'closed' };
    } catch (error) {
      // An order that was never placed, or whose prepay failed, cannot be paid after the life of a prepay.
      if (error instanceof WechatpayError && isUnknownThere(error)) return { kind: 'closed' };
      if (error instanceof WechatpayError && error.outcome === 'final') return this.ask(outTradeNo);
      return this.toNoAnswer(outTradeNo, error);
    }
  }

  private toNoAnswer(outTradeNo: OutTradeNo, error: unknown): Word {
    if (!(error instanceof WechatpayError)) throw error;
    if (isUnknownThere(error)) return { kind: 'not_found' };
    if (error.outcome === 'misconfigured') {
      this.errors.record('wechatpay.misconfigured', error, { outTradeNo, reason: error.reason });
      return { kind: 'no_answer', reason: error.reason, pauseMs: MISCONFIGURED_PAUSE_MS };
    }
    return { kind: 'no_answer', reason: error.reason, pauseMs: error.retryAfterMs ?? 0 };
  }

  /** The order's age, or, of an order without a row, the question's. */
  private async ageMs(query: DueQuery, outTradeNo: OutTradeNo): Promise<number> {
    const createdAt = (await this.payments.findCreatedAt(outTradeNo)) ?? query.createdAt;
    return this.clock.nowMs() - createdAt.getTime();
  }

  /** How long the order is left open. */
  private lifeMs(word: Word): number {
    const deadlineMs = this.config.paymentDeadlineMinutes * MINUTE_MS;
    // Until its prepay has run out, an order that WeChat Pay does not know may still be on its way there.
    return word.kind === 'not_found' ? Math.max(deadlineMs, PREPAY_LIFE_MS) : deadlineMs;
  }
}

/** No such order, or none that there could be: rows of others may carry numbers that WeChat Pay would not take. */
function isUnknownThere(error: WechatpayError): boolean {
  return error.outcome === 'not_found' || error.reason === 'impossible_number';
}

function toWord(order: WechatpayOrder): Word {
  if (order.state === 'paid') return { kind: 'paid', order };
  return { kind: order.state === 'closed' ? 'closed' : 'open' };
}
