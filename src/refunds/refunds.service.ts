import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { AppConfig } from '../platform/config/app-config.js';
import { isDuplicateEntry, isLockWaitTimeout } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { RefundableOrder } from '../payments/payments.types.js';
import { Clock } from '../shared/clock.js';
import { DomainError } from '../shared/domain-error.js';
import { pageOf } from '../shared/page.js';
import type { Page, PageRequest } from '../shared/page.js';
import { newOutRefundNo, refundIdFor } from './refund-numbers.js';
import { checkRefundable } from './refund-rules.js';
import type { PaymentWord, RefundableAmounts } from './refund-rules.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';
import type { SettlementRecord } from './refund-settlements.repository.js';
import { REFUND_SETTLEMENT } from './refund-settlement.service.js';
import { RefundsRepository } from './refunds.repository.js';
import { RefundQuestionsService } from './refund-questions.service.js';
import type {
  RefundBacklog,
  RefundChannelName,
  RefundFilter,
  RefundPosition,
  RefundView,
  RefundWish,
} from './refunds.types.js';
import { NO_TIME, RefundViewsRepository } from './refund-views.repository.js';

/** What WeChat Pay takes as a transaction id; rows of others may carry anything. */
const TRANSACTION_ID_PATTERN = /^[0-9A-Za-z]{1,32}$/;

/** Five times the second that a lock is waited for; a person waits no longer. */
const LOCK_TRIES_MAX = 5;

/** What operators ask for. Money moves later, from what is stored here. */
@Injectable()
export class RefundsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly settlements: RefundSettlementsRepository,
    private readonly refunds: RefundsRepository,
    private readonly views: RefundViewsRepository,
    private readonly payments: PaymentsService,
    private readonly questions: RefundQuestionsService,
    private readonly audit: AuditService,
    private readonly jobs: JobRunner,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  /**
   * Promises a refund: it is durable when this returns, and goes out by itself. The same key with the same content is
   * the same refund.
   * @throws DomainError `conflict` when a rule forbids it or the key stands for another refund, `not_found` for an unknown
   * order, `unavailable` when no channel is configured
   */
  async requestRefund(wish: RefundWish): Promise<RefundView> {
    const channel = this.config.refunds.channel;
    if (!channel) throw notConfigured();
    const payment = await this.questions.findPayment(wish.outTradeNo);
    const outRefundNo = await this.inTurn(() =>
      this.unitOfWork.run((tx) => this.promise(tx, { wish, channel, payment })),
    );
    this.jobs.wake(REFUND_SETTLEMENT);
    return this.get(outRefundNo);
  }

  /** @throws DomainError `not_found` */
  async get(outRefundNo: string): Promise<RefundView> {
    const view = await this.views.find(this.unitOfWork.reader, outRefundNo);
    if (!view) throw unknownRefund();
    return view;
  }

  /** The refund of this order that a key stands for; null when it stands for none. */
  async findRequested(outTradeNo: string, idempotencyKey: string): Promise<RefundView | null> {
    const { reader } = this.unitOfWork;
    const known = await this.settlements.findByIdempotencyKey(reader, idempotencyKey);
    return known?.outTradeNo === outTradeNo ? this.views.find(reader, known.outRefundNo) : null;
  }

  backlog(): Promise<RefundBacklog> {
    return this.views.backlog(this.unitOfWork.reader);
  }

  /** The newest first. */
  async list(
    filter: RefundFilter,
    page: PageRequest<RefundPosition>,
  ): Promise<Page<RefundView, RefundPosition>> {
    const rows = await this.views.list(this.unitOfWork.reader, filter, page);
    return pageOf(rows, page.limit, ({ createdAt, id }) => ({ createdAt: createdAt ?? NO_TIME, id }));
  }

  /** The refunds of an order, whoever made them, the newest first. */
  listOfOrder(outTradeNo: string, limit: number): Promise<RefundView[]> {
    return this.views.listOfOrder(this.unitOfWork.reader, outTradeNo, limit);
  }

  /** Has an open refund sent or asked about now instead of at its time: the balance was topped up, a key was mended. */
  async retry(outRefundNo: string, by: RefundWish['by']): Promise<RefundView> {
    await this.unitOfWork.run(async (tx) => {
      const refund = await this.settlements.lock(tx, outRefundNo);
      if (!refund) throw unknownRefund();
      if (refund.status === 'success' || refund.status === 'closed') {
        throw new DomainError(
          'refund_ended',
          'conflict',
          refund.status === 'closed'
            ? 'This refund was closed and moved no money: make a new one.'
            : 'This refund has succeeded already.',
        );
      }
      await this.settlements.hurry(tx, outRefundNo);
      // As the table has it: the column compares without case.
      await this.note(tx, { by, action: 'refund.retried', outRefundNo: refund.outRefundNo });
    });
    this.jobs.wake(REFUND_SETTLEMENT);
    return this.get(outRefundNo);
  }

  /** Many requests for one order queue up for its lock: who waited in vain changed nothing, and comes again. */
  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await work();
      } catch (error) {
        if (!isLockWaitTimeout(error) || tries >= LOCK_TRIES_MAX) throw error;
      }
    }
  }

  /** The number of the refund, new or, on a repetition, the one there is. */
  private async promise(
    tx: Tx,
    asked: { wish: RefundWish; channel: RefundChannelName; payment: PaymentWord | null },
  ): Promise<string> {
    const { wish } = asked;
    const order = await this.payments.lockForRefund(tx, wish.outTradeNo);
    // Under the lock: of two requests with one key the second finds the first.
    const known = await this.settlements.findByIdempotencyKey(tx, wish.idempotencyKey);
    if (known) return sameRefund(known, wish);
    if (!order) throw new DomainError('order_unknown', 'not_found', 'No such order is known.');
    const amounts = await this.check(tx, order, asked);
    const outRefundNo = newOutRefundNo(this.clock.nowMs());
    try {
      await this.insert(tx, { ...asked, order, amounts, outRefundNo });
    } catch (error) {
      // Another order's request took the key meanwhile.
      const other = isDuplicateEntry(error)
        ? await this.settlements.findByIdempotencyKey(tx, wish.idempotencyKey)
        : null;
      if (!other) throw error;
      return sameRefund(other, wish);
    }
    await this.note(tx, {
      by: wish.by,
      action: 'refund.requested',
      outRefundNo,
      after: {
        outTradeNo: wish.outTradeNo,
        amountFen: amounts.refundAmount.fen,
        orderAmountFen: amounts.orderAmount.fen,
      },
      reason: wish.reason,
    });
    return outRefundNo;
  }

  /** What goes back of what the order cost, by WeChat Pay's word where it was had. @throws DomainError when a rule forbids the refund */
  private async check(
    tx: Tx,
    order: RefundableOrder,
    { wish, payment }: { wish: RefundWish; payment: PaymentWord | null },
  ): Promise<RefundableAmounts> {
    const refunds = await this.refunds.listOfOrder(tx, order.outTradeNo);
    return checkRefundable({ order, payment, refunds, amount: wish.amount, now: this.clock.now() });
  }

  private async insert(
    tx: Tx,
    asked: {
      wish: RefundWish;
      channel: RefundChannelName;
      payment: PaymentWord | null;
      order: RefundableOrder;
      amounts: RefundableAmounts;
      outRefundNo: string;
    },
  ): Promise<void> {
    const { wish, channel, payment, order, amounts, outRefundNo } = asked;
    const refund = { outRefundNo, outTradeNo: order.outTradeNo, ...amounts, reason: wish.reason };
    // A request that names a transaction refunds whatever order that paid: only WeChat Pay's own word names one.
    const proven = payment?.kind === 'paid' ? payment.transactionId : null;
    await this.settlements.insert(tx, {
      ...refund,
      transactionId: proven,
      origin: 'operator',
      channel,
      idempotencyKey: wish.idempotencyKey,
      requestedBy: wish.by.name,
      stage: 'requested',
      dueInMs: 0,
    });
    const transactionId = proven ?? usableTransactionId(order.transactionId);
    await this.refunds.insert(tx, { ...refund, id: refundIdFor(outRefundNo), transactionId });
  }

  private async note(
    tx: Tx,
    entry: {
      by: RefundWish['by'];
      action: string;
      outRefundNo: string;
      after?: Record<string, unknown>;
      reason?: string;
    },
  ): Promise<void> {
    await this.audit.append(tx, {
      actor: entry.by,
      action: entry.action,
      targetType: 'refund',
      targetId: entry.outRefundNo,
      after: entry.after,
      reason: entry.reason,
    });
  }
}

function sameRefund(known: SettlementRecord, wish: RefundWish): string {
  const isSameAmount = wish.amount === null || known.refundAmount?.equals(wish.amount) === true;
  const different = [
    ...(known.outTradeNo === wish.outTradeNo ? [] : ['outTradeNo']),
    ...(isSameAmount ? [] : ['amount']),
    ...(known.reason === wish.reason ? [] : ['reason']),
  ];
  if (different.length > 0) throw keyUsed(known, different);
  return known.outRefundNo;
}

function usableTransactionId(transactionId: string | null): string | null {
  return transactionId && TRANSACTION_ID_PATTERN.test(transactionId) ? transactionId : null;
}

/** Whoever only corrected a word must not be told to take a new key: that would pay a second time. */
function keyUsed(known: SettlementRecord, different: readonly string[]): DomainError {
  const { outRefundNo, outTradeNo, refundAmount } = known;
  const amount = refundAmount ? ` of ${refundAmount.toYuan()} yuan` : '';
  return new DomainError(
    'idempotency_key_used',
    'conflict',
    `This idempotency key has made the refund ${outRefundNo}${amount} of the order ${outTradeNo}; this request differs ` +
      `in ${different.join(', ')}. Nothing was done. Only a second refund needs a new key.`,
  );
}

function unknownRefund(): DomainError {
  return new DomainError('not_found', 'not_found', 'No such refund is known.');
}

function notConfigured(): DomainError {
  return new DomainError(
    'refunds_not_configured',
    'unavailable',
    'No way to refund is configured: set CLOUD_FUNCTION_URL and CLOUD_FUNCTION_TOKEN, or the WECHAT_… variables, and start again.',
  );
}
