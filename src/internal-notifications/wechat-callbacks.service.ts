import { Injectable } from '@nestjs/common';
import { InboxService } from '../platform/inbox/inbox.service.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { WechatpayCallbackRefused } from '../wechatpay/wechatpay.types.js';
import type { WechatpayPaidOrder, WechatpayRefund } from '../wechatpay/wechatpay.types.js';
import { WECHAT_PAYMENT, WECHAT_REFUND } from './topics.js';

/** A payment as the inbox keeps it: plain JSON, amounts in fen. */
export type WechatPaymentMessage = {
  readonly deliveryId: string;
  readonly outTradeNo: string;
  readonly transactionId: string;
  readonly tradeState: 'SUCCESS' | 'REFUND';
  readonly tradeType: string | null;
  readonly amountFen: number;
  readonly paidAt: string;
  readonly openid: string | null;
};

export type WechatRefundMessage = {
  readonly deliveryId: string;
  readonly outTradeNo: string;
  readonly outRefundNo: string;
  readonly refundId: string;
  readonly transactionId: string;
  readonly status: WechatpayRefund['status'];
  readonly refundAmountFen: number;
  readonly orderAmountFen: number;
  readonly succeededAt: string | null;
};

type Received = {
  readonly headers: Record<string, string | string[] | undefined>;
  readonly rawBody?: Buffer;
};

/** Takes in what WeChat Pay posts, once it is proven to come from there. Redeliveries are one message. */
@Injectable()
export class WechatCallbacksService {
  constructor(
    private readonly wechatpay: WechatpayService,
    private readonly inbox: InboxService,
  ) {}

  /** @throws WechatpayCallbackRefused, or DomainError when it is not configured or could not be kept: no effect then */
  async accept(kind: 'payment' | 'refund', { headers, rawBody }: Received): Promise<void> {
    const notification = this.wechatpay.readCallback({ headers, rawBody: rawBody ?? Buffer.alloc(0) });
    if (notification.kind !== kind) {
      throw new WechatpayCallbackRefused('unsupported_event', 'This address receives other messages.');
    }
    if (notification.kind === 'payment') await this.keepPayment(notification.id, notification.order);
    else await this.keepRefund(notification.id, notification.refund);
  }

  private async keepPayment(deliveryId: string, order: WechatpayPaidOrder): Promise<void> {
    const { outTradeNo, transactionId, tradeState, tradeType, openid } = order;
    const payload: WechatPaymentMessage = {
      deliveryId,
      outTradeNo,
      transactionId,
      tradeState,
      tradeType,
      amountFen: order.amount.fen,
      paidAt: order.paidAt.toISOString(),
      openid,
    };
    await this.inbox.accept({
      topic: WECHAT_PAYMENT,
      outTradeNo,
      identity: [transactionId, payload.amountFen],
      payload,
    });
  }

  private async keepRefund(deliveryId: string, refund: WechatpayRefund): Promise<void> {
    const payload: WechatRefundMessage = {
      deliveryId,
      outTradeNo: refund.outTradeNo,
      outRefundNo: refund.outRefundNo,
      refundId: refund.refundId,
      transactionId: refund.transactionId,
      status: refund.status,
      refundAmountFen: refund.refundAmount.fen,
      orderAmountFen: refund.orderAmount.fen,
      succeededAt: refund.succeededAt?.toISOString() ?? null,
    };
    await this.inbox.accept({
      topic: WECHAT_REFUND,
      outTradeNo: refund.outTradeNo,
      identity: [payload.outRefundNo, payload.status],
      payload,
    });
  }
}
