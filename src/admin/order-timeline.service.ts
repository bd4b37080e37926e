import { Injectable } from '@nestjs/common';
import { PaymentLogsService } from '../payments/payment-logs.service.js';
import { OrdersService } from '../payments/orders.service.js';
import type { OrderOverview } from '../payments/orders.types.js';
import { AuditService } from '../platform/audit/audit.service.js';
import type { AuditRecord } from '../platform/audit/audit.types.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import type { ExceptionSummary } from '../platform/exceptions/exceptions.types.js';
import { InboxService } from '../platform/inbox/inbox.service.js';
import { OutboxService } from '../platform/outbox/outbox.service.js';
import { RefundsService } from '../refunds/refunds.service.js';
import type { RefundView } from '../refunds/refunds.types.js';
import type { OutTradeNo } from '../shared/ids.js';
import { EntitlementsService } from '../users/entitlements.service.js';

/** Of each source; what an honest order has is far below. */
const ENTRIES_PER_SOURCE_MAX = 50;

export type TimelineEntry = {
  readonly at: Date;
  readonly kind: string;
  /** Who did it, or where it is written. */
  readonly source: string;
  /** Ids, states and amounts: what people wrote freely may carry anything. */
  readonly facts: Readonly<Record<string, string | number | null>>;
};

export type OrderStory = {
  readonly order: OrderOverview;
  readonly timeline: readonly TimelineEntry[];
  readonly truncated: boolean;
};

type Entries = { readonly entries: readonly (TimelineEntry | null)[]; readonly isCut: boolean };

/** All that is known to have happened to one order, gathered from the services that know it. */
@Injectable()
export class OrderTimelineService {
  constructor(
    private readonly orders: OrdersService,
    private readonly logs: PaymentLogsService,
    private readonly refunds: RefundsService,
    private readonly entitlements: EntitlementsService,
    private readonly inbox: InboxService,
    private readonly outbox: OutboxService,
    private readonly exceptions: ExceptionsService,
    private readonly audit: AuditService,
  ) {}

  /** @throws DomainError `not_found` */
  async tell(given: OutTradeNo): Promise<OrderStory> {
    const order = await this.orders.get(given);
    // As the row has it: the other tables compare by case.
    const { outTradeNo } = order;
    const refunds = await this.refunds.listOfOrder(outTradeNo, ENTRIES_PER_SOURCE_MAX + 1);
    const outRefundNos = refunds.slice(0, ENTRIES_PER_SOURCE_MAX).map((refund) => refund.outRefundNo);
    // One after the other: of the few connections an operator's screen takes one.
    const sources = [
      { entries: ofOrder(order), isCut: false },
      cut(refunds, ofRefund),
      await this.ofMessages(outTradeNo),
      await this.ofLogs(outTradeNo),
      await this.ofQuestion(outTradeNo),
      await this.ofLedger(outTradeNo),
      await this.ofNotices(outTradeNo, outRefundNos),
      cut(
        await this.exceptions.listAbout([outTradeNo, ...outRefundNos], ENTRIES_PER_SOURCE_MAX + 1),
        ofException,
      ),
      await this.ofAudit('payment_order', [outTradeNo]),
      await this.ofAudit('refund', outRefundNos),
    ];
    const entries = sources.flatMap((source) => source.entries).filter((entry) => entry !== null);
    return {
      order,
      timeline: entries.sort((a, b) => a.at.getTime() - b.at.getTime()),
      truncated: sources.some(({ isCut }) => isCut),
    };
  }

  private async ofMessages(outTradeNo: string): Promise<Entries> {
    const messages = await this.inbox.listAbout(outTradeNo, ENTRIES_PER_SOURCE_MAX + 1);
    return cut(messages, ({ topic, status, outcome, attempts, receivedAt, handledAt }) => [
      {
        at: receivedAt,
        kind: `message.${topic}`,
        source: 'inbox',
        facts: { status, outcome, attempts, handledAt: handledAt?.toISOString() ?? null },
      },
    ]);
  }

  private async ofLogs(outTradeNo: string): Promise<Entries> {
    const lines = await this.logs.listOfOrder(outTradeNo, ENTRIES_PER_SOURCE_MAX + 1);
    return cut(lines, ({ at, type, ...facts }) => [
      at && { at, kind: `log.${type}`, source: 'payment_logs', facts },
    ]);
  }

  private async ofQuestion(outTradeNo: string): Promise<Entries> {
    const question = await this.orders.findOpenQuestion(outTradeNo);
    if (!question) return { entries: [], isCut: false };
    const { createdAt, askedAt, dueAt, ...facts } = question;
    const at = askedAt ?? createdAt;
    const kind = askedAt ? 'question.asked' : 'question.planned';
    const entry = { at, kind, source: 'order_queries', facts: { ...facts, dueAt: dueAt.toISOString() } };
    return { entries: [entry], isCut: false };
  }

  private async ofLedger(outTradeNo: string): Promise<Entries> {
    const lines = await this.entitlements.listOfOrder(outTradeNo);
    return cut(lines, ({ at, entry, by, userId, packageType, regenerateDelta, origin }) => [
      {
        at,
        kind: `ledger.${entry}`,
        source: by,
        facts: { userId, packageType, regenerateDelta, origin },
      },
    ]);
  }

  private async ofNotices(outTradeNo: string, outRefundNos: readonly string[]): Promise<Entries> {
    const keys = [
      `payment_succeeded:${outTradeNo}`,
      ...outRefundNos.map((outRefundNo) => `payment_refunded:${outRefundNo}`),
    ];
    const notices = await this.outbox.listAbout(keys, ENTRIES_PER_SOURCE_MAX + 1);
    return cut(notices, ({ id, topic, channel, status, attempts, createdAt, sentAt }) => {
      const facts = { id, channel: channel || null, status, attempts };
      return [
        { at: createdAt, kind: `notice.${topic}`, source: 'outbox', facts },
        sentAt && { at: sentAt, kind: 'notice.sent', source: 'outbox', facts },
      ];
    });
  }

  private async ofAudit(targetType: string, targetIds: readonly string[]): Promise<Entries> {
    const records = await this.audit.listAbout({ targetType, targetIds }, ENTRIES_PER_SOURCE_MAX + 1);
    return cut(records, ofAuditRecord);
  }
}

/** The first of a list that was read with one more than is shown. */
function cut<Item>(items: readonly Item[], toEntries: (item: Item) => (TimelineEntry | null)[]): Entries {
  return {
    entries: items.slice(0, ENTRIES_PER_SOURCE_MAX).flatMap(toEntries),
    isCut: items.length > ENTRIES_PER_SOURCE_MAX,
  };
}

function ofOrder({ id, createdAt, paidAt, transactionId, amount }: OrderOverview): (TimelineEntry | null)[] {
  const source = 'payment_orders';
  return [
    createdAt && {
      at: createdAt,
      kind: 'order.created',
      source,
      facts: { id, amountFen: amount?.fen ?? null },
    },
    paidAt && { at: paidAt, kind: 'order.paid', source, facts: { transactionId } },
  ];
}

function ofRefund(refund: RefundView): (TimelineEntry | null)[] {
  const { outRefundNo, refundId, amountFen, status, stage, origin, channel } = refund;
  const { createdAt, refundedAt, dueAt } = refund;
  const source = refund.requestedBy ?? 'refunds';
  const facts = { outRefundNo, refundId, amountFen, status, stage, origin, channel, dueAt };
  return [
    createdAt === null ? null : { at: new Date(createdAt), kind: 'refund.made', source, facts },
    refundedAt === null
      ? null
      : { at: new Date(refundedAt), kind: 'refund.succeeded', source: 'refunds', facts },
  ];
}

function ofException({
  openedAt,
  resolvedAt,
  resolvedBy,
  ...facts
}: ExceptionSummary): (TimelineEntry | null)[] {
  return [
    { at: openedAt, kind: 'exception.opened', source: 'exceptions', facts },
    resolvedAt && {
      at: resolvedAt,
      kind: `exception.${facts.status}`,
      source: resolvedBy ?? 'exceptions',
      facts,
    },
  ];
}

function ofAuditRecord({ id, occurredAt, actor, action, targetId }: AuditRecord): TimelineEntry[] {
  return [{ at: occurredAt, kind: `audit.${action}`, source: actor, facts: { id, targetId } }];
}
