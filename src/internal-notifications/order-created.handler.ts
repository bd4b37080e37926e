import { Injectable } from '@nestjs/common';
import type { OnModuleInit } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { InboxHandlers } from '../platform/inbox/inbox-handlers.js';
import type { Handled, Handling, InboxItem } from '../platform/inbox/inbox.types.js';
import { OrderBackupsService } from '../payments/order-backups.service.js';
import type { BackedUpOrder } from '../payments/payments.types.js';
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
    this.handlers.register(
      ORDER_CREATED,
      (tx, item) => this.handle(tx, item),
      (tx, items) => this.handleTogether(tx, items),
    );
  }

  private async handle(tx: Tx, item: InboxItem): Promise<Handling> {
    const message = item.payload as OrderCreatedMessage;
    const backup = toBackup(item);
    if (!backup) {
      return {
        kind: 'quarantined',
        exceptionKind: 'impossible_amount',
        reason: `The backed-up order states the amount ${JSON.stringify(message.statedAmount)}, which is no amount in fen.`,
        detail: { orderId: message.orderId, userId: message.userId, packageType: message.packageType },
      };
    }
    const outcome = await this.backups.recordCreated(tx, backup);
    return { kind: 'handled', outcome, releaseTopic: PAYMENT_NOTIFIED };
  }

  private async handleTogether(tx: Tx, items: readonly InboxItem[]): Promise<Map<InboxItem, Handled>> {
    const backups = new Map(items.map((item) => [item, toBackup(item)]));
    const recorded = await this.backups.recordTogether(
      tx,
      [...backups.values()].filter((backup) => backup !== null),
    );
    const handled = new Map<InboxItem, Handled>();
    for (const [item, backup] of backups) {
      if (!backup || !recorded.has(backup)) continue;
      handled.set(item, { kind: 'handled', outcome: 'created', releaseTopic: PAYMENT_NOTIFIED });
    }
    return handled;
  }
}

/** Null when it states an amount that is none. */
function toBackup({ payload, receivedAt }: InboxItem): BackedUpOrder | null {
  const message = payload as OrderCreatedMessage;
  const amount = readAmount(message.statedAmount);
  if (!amount) return null;
  return {
    outTradeNo: message.outTradeNo,
    orderId: message.orderId,
    userId: message.userId,
    openid: message.openid,
    unionid: message.unionid,
    amount,
    packageType: KNOWN_PACKAGES.find((known) => known === message.packageType) ?? null,
    statedPackage: message.packageType,
    tradeType: message.tradeType?.slice(0, TRADE_TYPE_LENGTH_MAX) ?? TRADE_TYPE_DEFAULT,
    receivedAt,
  };
}
