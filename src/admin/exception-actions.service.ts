import { Injectable } from '@nestjs/common';
import { OperatorGrantsService } from '../payments/operator-grants.service.js';
import { OrderQueriesService } from '../payments/order-queries.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionItemsService, notOpen } from '../platform/exceptions/exception-items.service.js';
import type { ExceptionDecision } from '../platform/exceptions/exception-items.service.js';
import type {
  ExceptionFilter,
  ExceptionPosition,
  ExceptionRecord,
} from '../platform/exceptions/exceptions.types.js';
import { INBOX_DRAIN } from '../platform/inbox/inbox-drain.service.js';
import { QuarantineService } from '../platform/inbox/quarantine.service.js';
import type { Release } from '../platform/inbox/quarantine.service.js';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { RefundsService } from '../refunds/refunds.service.js';
import type { RefundView } from '../refunds/refunds.types.js';
import { DomainError } from '../shared/domain-error.js';
import { isOutTradeNo } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import type { Money } from '../shared/money.js';
import type { Page, PageRequest } from '../shared/page.js';
import { actionsOf, kindOf } from './exception-kinds.js';
import type { ExceptionAction } from './exception-kinds.js';

/** An exception, and what can be done about it now. */
export type ShownException = ExceptionRecord & { readonly actions: readonly ExceptionAction[] };

/** What WeChat Pay answered: null when it did not, or nobody could ask. */
type WechatpayWord = 'paid' | 'open' | 'closed' | 'not_found' | null;

/** Somebody waits for the answer, and the message is tried again without it as well. */
const QUESTION_DEADLINE_MS = 3_000;

/** Kinds about a refund that is over: a new one takes its place, and the exception ends with that. */
const ENDED_BY_NEW_REFUND: readonly string[] = ['refund_refused', 'refund_closed'];

/** What operators do about exceptions, over the features that know how. */
@Injectable()
export class ExceptionActionsService {
  constructor(
    private readonly items: ExceptionItemsService,
    private readonly grants: OperatorGrantsService,
    private readonly queries: OrderQueriesService,
    private readonly refunds: RefundsService,
    private readonly quarantine: QuarantineService,
    private readonly unitOfWork: UnitOfWork,
    private readonly jobs: JobRunner,
  ) {}

  async list(
    filter: ExceptionFilter,
    page: PageRequest<ExceptionPosition>,
  ): Promise<Page<ShownException, ExceptionPosition>> {
    const { items, next } = await this.items.list(filter, page);
    return { items: await this.show(items), next };
  }

  /** @throws DomainError `not_found` */
  async get(id: string): Promise<ShownException> {
    const item = await this.items.get(id);
    const [shown] = await this.show([item]);
    return shown ?? { ...item, actions: [] };
  }

  /** Grants a held order what the operator says. The same again changes nothing. @throws DomainError */
  async grant(
    id: string,
    decision: ExceptionDecision & { readonly packageType: 'basic' | 'premium' },
  ): Promise<'granted' | 'already_granted'> {
    const outTradeNo = orderOf(checked(await this.items.get(id), 'grant'));
    return this.unitOfWork.run(async (tx) => {
      const order = await this.grants.lockOrder(tx, outTradeNo);
      const item = await this.items.lock(tx, id);
      if (item.status === 'dismissed') throw notOpen(item);
      const outcome = await this.grants.grant(tx, order, { ...decision, outTradeNo });
      if (item.status !== 'open' && outcome === 'granted') throw notOpen(item);
      if (outcome === 'already_granted') await this.resolve(tx, item, decision, 'it is granted');
      return outcome;
    });
  }

  /**
   * Asks for a refund of the order, of all that is left when no amount is given. Money that went back ends the exception
   * about a held order; a refund that failed is over when a new one was asked for.
   */
  async refund(
    id: string,
    wish: ExceptionDecision & { readonly amount: Money | null; readonly idempotencyKey: string },
  ): Promise<RefundView> {
    const item = checked(await this.items.get(id), 'refund');
    const { by, note: reason, amount, idempotencyKey } = wish;
    const outTradeNo = orderOf(item);
    if (item.status !== 'open') {
      const known = await this.refunds.findRequested(outTradeNo, idempotencyKey);
      if (!known) throw notOpen(item);
      return known;
    }
    const refund = await this.refunds.requestRefund({ outTradeNo, amount, reason, idempotencyKey, by });
    if (ENDED_BY_NEW_REFUND.includes(item.kind)) {
      await this.unitOfWork.run(async (tx) =>
        this.resolve(tx, await this.items.lock(tx, id), wish, `refunded anew as ${refund.outRefundNo}`),
      );
    }
    return refund;
  }

  /** Has the stored message tried again, after WeChat Pay was asked about its order. @throws DomainError */
  async adopt(
    id: string,
    decision: ExceptionDecision,
  ): Promise<{ outcome: Exclude<Release, 'gone'>; wechatpay: WechatpayWord }> {
    const { kind, subject, detail, status } = checked(await this.items.get(id), 'adopt');
    if (status === 'resolved') return { outcome: 'applied_already', wechatpay: null };
    const wechatpay = status === 'open' ? await this.ask(subject) : null;
    const behind = { kind, outTradeNo: subject, messageId: messageIdOf(detail) };
    const outcome = await this.unitOfWork.run(async (tx) => {
      const found = await this.quarantine.release(tx, behind);
      // Where WeChat Pay's answer granted the order, that has released them a moment ago.
      const released = found === 'due_already' && wechatpay === 'paid' ? 'released' : found;
      const item = await this.items.lock(tx, id);
      if (item.status === 'dismissed') throw notOpen(item);
      if (released === 'gone') {
        throw new DomainError(
          'message_gone',
          'conflict',
          'The message of this exception is not stored any more.',
        );
      }
      if (released === 'applied_already') await this.resolve(tx, item, decision, 'its message was applied');
      if (released === 'released') {
        await this.items.note(tx, item, { ...decision, action: 'exception.adopted', status: item.status });
      }
      return released;
    });
    this.jobs.wake(INBOX_DRAIN);
    return { outcome, wechatpay };
  }

  /** @throws DomainError `conflict` where work that goes on by itself would go on unseen */
  async dismiss(id: string, decision: ExceptionDecision): Promise<'dismissed' | 'dismissed_already'> {
    checked(await this.items.get(id), 'dismiss');
    return this.items.dismiss(id, decision);
  }

  reopen(id: string, decision: ExceptionDecision): Promise<'reopened' | 'open_already'> {
    return this.items.reopen(id, decision);
  }

  private async ask(subject: string): Promise<WechatpayWord> {
    if (!this.queries.canAsk || !isOutTradeNo(subject)) return null;
    return this.queries.askNow(subject, { deadlineMs: QUESTION_DEADLINE_MS });
  }

  private async resolve(
    tx: Tx,
    item: ExceptionRecord,
    { by, note }: ExceptionDecision,
    resolution: string,
  ): Promise<void> {
    await this.items.end(tx, item, { by, note, status: 'resolved', resolution });
  }

  /** What the kind allows, less what the order allows no more. */
  private async show(items: readonly ExceptionRecord[]): Promise<ShownException[]> {
    const held = await this.grants.listHeld(items.filter(isOpenAboutOrder).map(numberIn));
    return items.map((item) => {
      const allowed = actionsOf(item);
      if (!allowed.includes('grant') && !allowed.includes('refund')) return { ...item, actions: allowed };
      const order = held.get(numberIn(item));
      return {
        ...item,
        actions: allowed.filter(
          (action) => (action !== 'grant' || order?.canGrant) && (action !== 'refund' || order?.canRefund),
        ),
      };
    });
  }
}

/** @throws DomainError when the kind has no such action */
function checked(item: ExceptionRecord, action: ExceptionAction): ExceptionRecord {
  const { actions, endsBy } = kindOf(item.kind);
  if (actions.includes(action)) return item;
  const ends = action === 'dismiss' && endsBy ? `: ${endsBy}` : '';
  throw new DomainError(
    'action_not_possible',
    'conflict',
    `There is no ${action} for an exception of the kind ${item.kind}${ends}.`,
  );
}

/** The order an exception is about: its subject, or the order of the refund that is. */
function numberIn({ subject, detail }: ExceptionRecord): string {
  return typeof detail.outTradeNo === 'string' ? detail.outTradeNo : subject;
}

function isOpenAboutOrder(item: ExceptionRecord): boolean {
  return item.status === 'open' && isOutTradeNo(numberIn(item));
}

function orderOf(item: ExceptionRecord): OutTradeNo {
  const outTradeNo = numberIn(item);
  if (isOutTradeNo(outTradeNo)) return outTradeNo;
  throw new DomainError(
    'order_unreadable',
    'conflict',
    'The merchant number of this order is none that WeChat Pay would take.',
  );
}

/** Written by this backend, and nobody else's to write; a BIGINT and therefore text. */
function messageIdOf({ inboxMessageId }: Readonly<Record<string, unknown>>): string | null {
  const id = typeof inboxMessageId === 'number' ? String(inboxMessageId) : inboxMessageId;
  return typeof id === 'string' && /^\d{1,19}$/.test(id) ? id : null;
}
