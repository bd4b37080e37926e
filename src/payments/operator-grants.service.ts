import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Clock } from '../shared/clock.js';
import { DomainError } from '../shared/domain-error.js';
import type { OutTradeNo } from '../shared/ids.js';
import { EntitlementsService } from '../users/entitlements.service.js';
import { HeldOrdersRepository } from './held-orders.repository.js';
import { HoldsService } from './holds.service.js';
import { OrderGrantsService } from './order-grants.service.js';
import { realTransactionId } from './order-record.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { OrderRecord } from './order-record.js';
import type { HeldOrder, OperatorGrant } from './payments.types.js';

/** Orders that were paid and held: an operator says what they give, where no rule could. */
@Injectable()
export class OperatorGrantsService {
  constructor(
    private readonly orders: PaymentOrdersRepository,
    private readonly held: HeldOrdersRepository,
    private readonly grants: OrderGrantsService,
    private readonly holds: HoldsService,
    private readonly entitlements: EntitlementsService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** The order, locked, before the exception about it: so do all who hold and grant. @throws DomainError `order_unknown` */
  async lockOrder(tx: Tx, outTradeNo: OutTradeNo): Promise<OrderRecord> {
    const order = await this.orders.lockByOutTradeNo(tx, outTradeNo);
    if (!order) throw new DomainError('order_unknown', 'not_found', 'No such order is known.');
    return order;
  }

  /**
   * Grants what the operator says instead of what the amount says; every other rule stays. The same again changes nothing.
   * @param order locked by {@link lockOrder} in this transaction
   * @throws DomainError `conflict` when another package was granted, or anything of the money went back
   */
  async grant(
    tx: Tx,
    order: OrderRecord,
    { packageType, by, note }: OperatorGrant,
  ): Promise<'granted' | 'already_granted'> {
    if (await this.isGranted(tx, order, packageType)) return 'already_granted';
    await this.checkGrantable(tx, order);
    const userId = await this.grants.beneficiary(tx, order, null);
    if (!userId) {
      throw refused('beneficiary_unknown', 'Nobody is known to whom the order or its payment belongs.');
    }
    const gift = {
      userId,
      packageType,
      transactionId: realTransactionId(order),
      generationId: order.generationId,
      amount: order.amount,
      paidAt: order.paidAt ?? this.clock.now(),
      grantedBy: by.name,
      resolution: { by: by.name, words: `granted ${packageType}: ${note}` },
    };
    let outcome = await this.grants.give(tx, order, gift);
    // WeChat Pay says that this one was paid by it: the other has the number from somebody's word.
    if (outcome === 'transaction_used' && (await this.holds.findTold(tx, order))?.state === 'paid')
      outcome = await this.grants.give(tx, order, { ...gift, transactionId: null });
    if (outcome === 'transaction_used') {
      throw refused('transaction_used', 'Its transaction has already paid for another order.');
    }
    await this.grants.retryNotices(tx, order.outTradeNo);
    // Callers show the row: it names the package the user has of it.
    await this.orders.repairPackage(tx, order.id, { from: order.packageType, to: packageType });
    await this.audit.append(tx, {
      actor: by,
      action: 'order.granted',
      targetType: 'payment_order',
      targetId: order.outTradeNo,
      before: { packageType: order.packageType },
      after: { packageType, userId, amountFen: order.amount?.fen ?? null },
      reason: note,
    });
    return 'granted';
  }

  /** What can be decided about these orders; those that are not paid are left out. */
  listHeld(outTradeNos: readonly string[]): Promise<Map<string, HeldOrder>> {
    return this.held.list(this.unitOfWork.reader, outTradeNos);
  }

  private async isGranted(tx: Tx, order: OrderRecord, packageType: string): Promise<boolean> {
    if ((await this.entitlements.settledAs(tx, order.outTradeNo)) !== 'already_granted') return false;
    const grant = await this.entitlements.findGrant(tx, order.outTradeNo);
    if (grant?.packageType === packageType) return true;
    const given = grant ? `the package "${grant.packageType}"` : 'what it gave before this backend';
    throw refused('already_granted', `This order has been granted ${given} already.`);
  }

  private async checkGrantable(tx: Tx, order: OrderRecord): Promise<void> {
    const isRevoked = (await this.entitlements.settledAs(tx, order.outTradeNo)) === 'revoked';
    if (order.status === 'refunded' || isRevoked) {
      throw refused('order_refunded', 'This order was refunded, or what it gave was taken back.');
    }
    if (order.status !== 'paid') {
      throw refused('order_not_paid', `This order is ${order.status}: only a paid one is granted.`);
    }
    if ((await this.orders.hasRefund(tx, order.outTradeNo)) || (await this.isToldRefunded(tx, order))) {
      throw refused(
        'order_refunded',
        'Money of this order went back or is on its way: it gives nothing any more.',
      );
    }
  }

  /** WeChat Pay goes on calling an order refunded after a refund that moved no money. */
  private async isToldRefunded(tx: Tx, order: OrderRecord): Promise<boolean> {
    const told = await this.holds.findTold(tx, order);
    return told?.state === 'refunded' && !(await this.orders.hasClosedRefund(tx, order.outTradeNo));
  }
}

function refused(code: string, message: string): DomainError {
  return new DomainError(code, 'conflict', message);
}
