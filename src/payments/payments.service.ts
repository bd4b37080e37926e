import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { OutboxService } from '../platform/outbox/outbox.service.js';
import { GenerationsService } from '../generations/generations.service.js';
import { PricesService } from '../prices/prices.service.js';
import { placeholderUserId, rescueOrderId } from '../shared/ids.js';
import { EntitlementsService } from '../users/entitlements.service.js';
import { UsersService } from '../users/users.service.js';
import { decidePackage } from './package-decision.js';
import type { PackageDecision, PaidPackage } from './package-decision.js';
import { nextPaymentOrderState } from './payment-order.state.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { OrderRecord } from './payment-orders.repository.js';
import type { PaidClaim, PaidOutcome } from './payments.types.js';

/** Callers cache prices for 5 minutes; twice that covers a slow prepay as well. */
const PRICE_CACHE_MS = 10 * 60_000;
/** A rescued row is written when the payment arrives, up to the life of a prepay (2 h) after the order was made. */
const PREPAY_LIFE_MS = 2 * 60 * 60_000;
/** `created_at` has whole seconds: a price that began in the same second counts. */
const CREATED_AT_STEP_MS = 1_000;

/** Exceptions about an order that end by themselves when it is granted. */
const ENDED_BY_GRANT = [
  'payment_held',
  'order_unknown',
  'payment_unproven',
  'impossible_amount',
  'settling_failed',
] as const;

/**
 * The one road on which an order becomes paid and its user gets what was paid for. Notices, callbacks, sweeps
 * and queries all end here; any number of calls in any order and at once have the effect of one.
 */
@Injectable()
export class PaymentsService {
  constructor(
    private readonly orders: PaymentOrdersRepository,
    private readonly prices: PricesService,
    private readonly users: UsersService,
    private readonly entitlements: EntitlementsService,
    private readonly generations: GenerationsService,
    private readonly exceptions: ExceptionsService,
    private readonly outbox: OutboxService,
    private readonly audit: AuditService,
  ) {}

  async recordPaid(tx: Tx, claim: PaidClaim): Promise<PaidOutcome> {
    const order = await this.orders.lockByOutTradeNo(tx, claim.outTradeNo);
    if (!order) return 'order_unknown';
    const next = nextPaymentOrderState(order.status, 'payment_proven');
    if (next === null) return this.hold(tx, order, `The order is in the unknown state "${order.status}".`);
    if (next === 'refunded') {
      await this.entitlements.barRefundedOrder(tx, { ...order, by: `system:${claim.source}` });
      return 'refunded';
    }
    const settled = await this.entitlements.settledAs(tx, order.outTradeNo);
    const rival = settled ? null : await this.findRival(tx, order, claim);
    if (rival) return this.holdForRival(tx, order, rival);
    if (order.status === 'paid') await this.completePaid(tx, order, claim);
    else if (!claim.transactionId) return 'unproven';
    else await this.markPaid(tx, order, { ...claim, transactionId: claim.transactionId });
    if (settled === 'revoked') return 'refunded';
    return settled ? this.complete(tx, order, claim) : this.grant(tx, order, claim);
  }

  /** Granted before: what this claim alone knows still takes effect. */
  private async complete(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<'already_granted'> {
    const grant = claim.generationId ? await this.entitlements.findGrant(tx, order.outTradeNo) : null;
    if (grant) await this.unlock(tx, order, { ...grant, generationId: claim.generationId });
    await this.resolveExceptions(tx, order, 'it is granted');
    return 'already_granted';
  }

  /** A transaction pays one order. A claim that names another order's proves nothing about this one. */
  private async holdForRival(tx: Tx, order: OrderRecord, rival: string): Promise<'held'> {
    const reason = `Its transaction belongs to the order ${rival}.`;
    if (order.status === 'paid') return this.hold(tx, order, reason);
    await this.exceptions.raise(tx, { kind: 'transaction_mismatch', subject: order.outTradeNo, reason });
    return 'held';
  }

  /** The order that this one's transaction has paid already, if there is one. */
  private async findRival(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<string | null> {
    const transactionId = claim.transactionId ?? realTransactionId(order);
    return transactionId ? this.orders.findOtherByTransactionId(tx, transactionId, order.outTradeNo) : null;
  }

  private async markPaid(
    tx: Tx,
    order: OrderRecord,
    claim: PaidClaim & { transactionId: string },
  ): Promise<void> {
    await this.reportOtherTransaction(tx, order, claim);
    await this.orders.markPaid(tx, order.id, { transactionId: claim.transactionId, paidAt: claim.seenAt });
    if (order.status !== 'failed') return;
    await this.audit.append(tx, {
      actor: `system:${claim.source}`,
      action: 'order.reopened',
      targetType: 'payment_order',
      targetId: order.outTradeNo,
      before: { status: order.status },
      after: { status: 'paid', transactionId: claim.transactionId },
      reason: 'Evidence of payment arrived after the order had failed.',
    });
  }

  private async completePaid(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<void> {
    if (!claim.transactionId) return;
    await this.reportOtherTransaction(tx, order, claim);
    if (!order.transactionId) await this.orders.completeTransactionId(tx, order.id, claim.transactionId);
  }

  /** The row keeps the transaction it has; an operator learns that another one was claimed. */
  private async reportOtherTransaction(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<void> {
    const known = realTransactionId(order);
    if (!known || !claim.transactionId || known === claim.transactionId) return;
    await this.exceptions.raise(tx, {
      kind: 'transaction_mismatch',
      subject: order.outTradeNo,
      reason: `A payment with transaction ${claim.transactionId} was reported, but the order has ${known}.`,
      detail: { source: claim.source },
    });
  }

  private async grant(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<PaidOutcome> {
    // A late duplicate callback turns a refunded row back to paid: money that went back grants nothing by itself.
    if (await this.orders.hasRefund(tx, order.outTradeNo)) {
      return this.hold(tx, order, 'It was refunded, or is being refunded, before anything was granted.');
    }
    const decision = await this.decide(tx, order, claim);
    if (decision.kind === 'hold') return this.hold(tx, order, decision.reason);
    const userId = await this.beneficiary(tx, order, claim);
    if (!userId) return this.hold(tx, order, 'Nobody is known to whom the order or its payment belongs.');
    if (decision.repaired) await this.repairPackage(tx, order, decision.packageType);
    const { packageType } = decision;
    const outcome = await this.entitlements.grantForOrder(tx, {
      outTradeNo: order.outTradeNo,
      userId,
      packageType,
      transactionId: realTransactionId(order) ?? claim.transactionId,
      grantedBy: `system:${claim.source}`,
    });
    if (outcome === 'transaction_used') {
      return this.hold(tx, order, 'Its transaction has already paid for another order.');
    }
    if (outcome !== 'granted') return outcome === 'revoked' ? 'refunded' : outcome;
    await this.unlock(tx, order, {
      generationId: claim.generationId ?? order.generationId,
      userId,
      packageType,
    });
    await this.announce(tx, order, { userId, packageType });
    return 'granted';
  }

  private async decide(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<PackageDecision> {
    const isRescued = order.id === rescueOrderId(order.outTradeNo);
    const createdMs = (order.createdAt ?? claim.seenAt).getTime();
    const legitimate = await this.prices.legitimatePrices(tx, {
      from: new Date(createdMs - PRICE_CACHE_MS - (isRescued ? PREPAY_LIFE_MS : 0)),
      to: new Date(createdMs + CREATED_AT_STEP_MS),
    });
    return decidePackage({ packageType: order.packageType, amount: order.amount, isRescued, legitimate });
  }

  /** The order's user, or, when nobody claimed the order, the payer. Null when neither is known. */
  private async beneficiary(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<string | null> {
    const { outTradeNo, userId } = order;
    // The payer may be somebody else, a friend who scanned the code: their openid says nothing about this user.
    if (userId !== placeholderUserId(outTradeNo)) {
      return this.users.ensureOwner(tx, { outTradeNo, userId, openid: null });
    }
    const openid = claim.openid ?? order.payerOpenid;
    return openid ? this.users.adoptPayer(tx, outTradeNo, openid) : null;
  }

  private async repairPackage(tx: Tx, order: OrderRecord, packageType: PaidPackage): Promise<void> {
    await this.orders.repairPackage(tx, order.id, { from: order.packageType, to: packageType });
    await this.audit.append(tx, {
      actor: 'system:payments',
      action: 'order.package_repaired',
      targetType: 'payment_order',
      targetId: order.outTradeNo,
      before: { packageType: order.packageType },
      after: { packageType },
      reason: 'The row was rescued without its package; the amount paid says which one it is.',
    });
  }

  private async announce(
    tx: Tx,
    order: OrderRecord,
    to: { userId: string; packageType: PaidPackage },
  ): Promise<void> {
    await this.resolveExceptions(tx, order, `granted ${to.packageType}`);
    await this.outbox.stage(tx, {
      topic: 'payment_succeeded',
      key: `payment_succeeded:${order.outTradeNo}`,
      payload: { outTradeNo: order.outTradeNo, orderId: order.id, ...to, amountFen: order.amount?.fen },
    });
  }

  private async unlock(
    tx: Tx,
    order: OrderRecord,
    paid: { generationId: string | null; userId: string; packageType: PaidPackage },
  ): Promise<void> {
    await this.generations.unlockForOrder(tx, { ...paid, orderId: order.id });
  }

  private async resolveExceptions(tx: Tx, order: OrderRecord, resolution: string): Promise<void> {
    await this.exceptions.resolveAll(tx, {
      kinds: ENDED_BY_GRANT,
      subject: order.outTradeNo,
      by: 'system:payments',
      resolution,
    });
  }

  private async hold(tx: Tx, order: OrderRecord, reason: string): Promise<'held'> {
    await this.exceptions.raise(tx, {
      kind: 'payment_held',
      subject: order.outTradeNo,
      reason,
      detail: { orderId: order.id, packageType: order.packageType, amountFen: order.amount?.fen ?? null },
    });
    return 'held';
  }
}

/** Very old rows carry the merchant number in the column of the transaction. */
function realTransactionId(order: OrderRecord): string | null {
  return order.transactionId === order.outTradeNo ? null : order.transactionId;
}
