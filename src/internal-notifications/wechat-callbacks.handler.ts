import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { InboxHandlers } from '../platform/inbox/inbox-handlers.js';
import type { Handled, Handling, InboxItem } from '../platform/inbox/inbox.types.js';
import type { PaymentLogLine } from '../payments/orders.types.js';
import { PaymentLogsService } from '../payments/payment-logs.service.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { PaidClaim, ProvenPayment } from '../payments/payments.types.js';
import { UsualPaymentsService } from '../payments/usual-payments.service.js';
import { RefundRecordsService } from '../refunds/refund-records.service.js';
import { Clock } from '../shared/clock.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import type { WechatPaymentMessage, WechatRefundMessage } from './wechat-callbacks.service.js';
import { PAYMENT_NOTIFIED, WECHAT_PAYMENT, WECHAT_REFUND } from './topics.js';

const MINUTE_MS = 60_000;
const ORDER_WAIT_STEP_MS = 5_000;

/** Applies what WeChat Pay posted. */
@Injectable()
export class WechatCallbacksHandler implements OnModuleInit {
  constructor(
    private readonly handlers: InboxHandlers,
    private readonly payments: PaymentsService,
    private readonly usual: UsualPaymentsService,
    private readonly refunds: RefundRecordsService,
    private readonly config: AppConfig,
    private readonly clock: Clock,
    private readonly logs: PaymentLogsService,
  ) {}

  onModuleInit(): void {
    this.handlers.register(
      WECHAT_PAYMENT,
      (tx, item) => this.applyPayment(tx, item),
      (tx, items) => this.applyPaymentsTogether(tx, items),
    );
    this.handlers.register(WECHAT_REFUND, (tx, item) => this.applyRefund(tx, item));
  }

  private async applyPayment(tx: Tx, item: InboxItem): Promise<Handling> {
    await this.logs.append(tx, toLogLine(item));
    const outcome = await this.payments.recordPaid(tx, this.toClaim(item));
    return { kind: 'handled', outcome, releaseTopic: PAYMENT_NOTIFIED };
  }

  private async applyPaymentsTogether(tx: Tx, items: readonly InboxItem[]): Promise<Map<InboxItem, Handled>> {
    const claims = new Map(items.map((item) => [item, this.toClaim(item)]));
    const outcomes = await this.usual.recordTogether(tx, [...claims.values()]);
    const handled = new Map<InboxItem, Handled>();
    for (const [item, claim] of claims) {
      const outcome = outcomes.get(claim);
      if (outcome) handled.set(item, { kind: 'handled', outcome, releaseTopic: PAYMENT_NOTIFIED });
    }
    await this.logs.append(tx, ...[...handled.keys()].map(toLogLine));
    return handled;
  }

  private toClaim({ payload, receivedAt }: InboxItem): PaidClaim {
    return this.payments.toClaim(paymentOf(payload), { source: 'wechat-callback', seenAt: receivedAt });
  }

  private async applyRefund(tx: Tx, item: InboxItem): Promise<Handling> {
    const message = item.payload as WechatRefundMessage;
    await this.logs.append(tx, {
      id: `inbox-${item.id}`,
      type: 'refund_callback',
      eventType: `REFUND.${message.status}`,
      outTradeNo: message.outTradeNo,
      outRefundNo: message.outRefundNo,
      amountFen: message.refundAmountFen,
      request: {
        deliveryId: message.deliveryId,
        refundId: message.refundId,
        succeededAt: message.succeededAt,
      },
    });
    const outcome = await this.refunds.recordReported(tx, {
      outRefundNo: message.outRefundNo,
      outTradeNo: message.outTradeNo as OutTradeNo,
      refundId: message.refundId,
      transactionId: message.transactionId,
      status: message.status,
      refundAmount: Money.ofFen(message.refundAmountFen),
      orderAmount: Money.ofFen(message.orderAmountFen),
      succeededAt: message.succeededAt ? new Date(message.succeededAt) : null,
      source: 'wechat-callback',
    });
    if (outcome !== 'order_unknown') return { kind: 'handled', outcome };
    return this.waitForOrder(tx, item, message);
  }

  /** The order may still be on its way: from a spool, or from WeChat Pay, which is asked about it. */
  private async waitForOrder(tx: Tx, item: InboxItem, message: WechatRefundMessage): Promise<Handling> {
    await this.payments.askSoon(tx, message.outTradeNo as OutTradeNo);
    const ageMs = this.clock.nowMs() - item.receivedAt.getTime();
    if (ageMs < this.config.orderWaitMinutes * MINUTE_MS) {
      return { kind: 'postponed', reason: 'order_unknown', delayMs: ORDER_WAIT_STEP_MS };
    }
    return {
      kind: 'quarantined',
      exceptionKind: 'refund_reported',
      reason: `WeChat Pay reports the refund ${message.outRefundNo} of ${Money.ofFen(message.refundAmountFen).toYuan()} yuan as ${message.status}, of an order that nobody knows.`,
      detail: { outRefundNo: message.outRefundNo, refundId: message.refundId, status: message.status },
    };
  }
}

function toLogLine({ id, payload }: InboxItem): PaymentLogLine {
  const message = payload as WechatPaymentMessage;
  const { deliveryId, transactionId, tradeType, paidAt } = message;
  return {
    id: `inbox-${id}`,
    type: 'payment_callback',
    eventType: 'TRANSACTION.SUCCESS',
    outTradeNo: message.outTradeNo,
    outRefundNo: null,
    amountFen: message.amountFen,
    request: { deliveryId, transactionId, tradeType, paidAt },
  };
}

function paymentOf(payload: unknown): ProvenPayment {
  const message = payload as WechatPaymentMessage;
  const { transactionId, openid, tradeType, tradeState } = message;
  return {
    outTradeNo: message.outTradeNo as OutTradeNo,
    transactionId,
    amount: Money.ofFen(message.amountFen),
    paidAt: new Date(message.paidAt),
    openid,
    tradeType,
    tradeState,
  };
}
