import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { InboxHandlers } from '../platform/inbox/inbox-handlers.js';
import type { Handling, InboxItem } from '../platform/inbox/inbox.types.js';
import { OrderBackupsService } from '../payments/order-backups.service.js';
import { readAmount } from './message-reading.js';
import type { OrderCreatedMessage } from './message-reading.js';
import { ORDER_CREATED, PAYMENT_NOTIFIED } from './topics.js';

const KNOWN_PACKAGES = ['free', 'basic', 'premium'] as const;
const TRADE_TYPE_DEFAULT = 'JSAPI';
const TRADE_TYPE_LENGTH_MAX = 20;

/** Brings backed-up orders into `payment_orders`, and then their waiting payments to them. */
@Injectable()
export class OrderCreatedHandler implements OnModuleInit {
  constructor(
    private readonly handlers: InboxHandlers,
    private readonly backups: OrderBackupsService,
  ) {}

  onModuleInit(): void {
    this.handlers.register(ORDER_CREATED, (tx, item) => this.handle(tx, item));
  }

  private async handle(tx: Tx, item: InboxItem): Promise<Handling> {
    const message = item.payload as OrderCreatedMessage;
    const amount = readAmount(message.statedAmount);
    if (!amount) {
      return {
        kind: 'quarantined',
        exceptionKind: 'impossible_amount',
        reason: `The backed-up order states the amount ${JSON.stringify(message.statedAmount)}, which is no amount in fen.`,
        detail: { orderId: message.orderId, userId: message.userId, packageType: message.packageType },
      };
    }
    const outcome = await this.backups.recordCreated(tx, {
      outTradeNo: message.outTradeNo,
      orderId: message.orderId,
      userId: message.userId,
      openid: message.openid,
      unionid: message.unionid,
      amount,
      packageType: KNOWN_PACKAGES.find((known) => known === message.packageType) ?? null,
      statedPackage: message.packageType,
      tradeType: message.tradeType?.slice(0, TRADE_TYPE_LENGTH_MAX) ?? TRADE_TYPE_DEFAULT,
      receivedAt: item.receivedAt,
    });
    return { kind: 'handled', outcome, releaseTopic: PAYMENT_NOTIFIED };
  }
}
