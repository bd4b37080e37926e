import { Injectable } from '@nestjs/common';
import { InboxService } from '../platform/inbox/inbox.service.js';
import { stableOrderId } from '../shared/ids.js';
import { readOrderCreated, readPaymentNotified } from './message-reading.js';
import type { OrderCreatedDto } from './order-created.dto.js';
import type { PaymentNotifiedDto } from './payment-notified.dto.js';
import { ORDER_CREATED, PAYMENT_NOTIFIED } from './topics.js';

/** Takes in what the callers post. The effect comes later, from the stored message. */
@Injectable()
export class InternalNotificationsService {
  constructor(private readonly inbox: InboxService) {}

  /** Answers the order's id: the caller's, or the one the order gets for want of it. */
  async acceptOrderCreated(body: OrderCreatedDto): Promise<string> {
    const { message, remarks } = readOrderCreated(body);
    await this.inbox.accept({
      topic: ORDER_CREATED,
      outTradeNo: message.outTradeNo,
      identity: message,
      payload: { ...message, ...remarks },
    });
    return message.orderId ?? stableOrderId(message.outTradeNo);
  }

  async acceptPaymentNotified(body: PaymentNotifiedDto): Promise<void> {
    const message = readPaymentNotified(body);
    await this.inbox.accept({
      topic: PAYMENT_NOTIFIED,
      outTradeNo: message.outTradeNo,
      identity: message,
      payload: message,
    });
  }
}
