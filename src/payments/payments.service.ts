import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { isId, rescueOrderId, stableOrderId } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { EntitlementsService } from '../users/entitlements.service.js';
import { UsersService } from '../users/users.service.js';
import { claimedTransaction, isOwnerless } from './grant-rules.js';
import { HearsayService } from './hearsay.service.js';
import { HoldsService, wordOf } from './holds.service.js';
import { OrderGrantsService } from './order-grants.service.js';
import { nextPaymentOrderState } from './payment-order.state.js';
import { realTransactionId } from './order-record.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { OrderRecord } from './order-record.js';
import type { FullRefund, PaidClaim, PaidOutcome, ProvenPayment, RefundableOrder } from './payments.types.js';

/** Exceptions about an order that end by themselves when all of its money went back. */
const ENDED_BY_REFUND = [
  'payment_held',
  'payment_contradicted',
  'settling_failed',
  'refund_unseen',
  'refund_conflict',
] as const;

/** Outcomes of a claim that something is still missing for. */
const WAITING: ReadonlySet<PaidOutcome> = new Set(['order_unknown', 'unproven', 'asked']);

/**
 * The one road on which an order becomes paid and its user gets what was paid for. Notices, callbacks, sweeps
 * and queries all end here; any number of calls in any order and at once have the effect of one.
 */
@Injectable()
export class PaymentsService {
  constructor(
    private readonly orders: PaymentOrdersRepository,
    private readonly grants: OrderGrantsService,
    private readonly hearsay: HearsayService,
    private readonly holds: HoldsService,
    private readonly users: UsersService,
    private readonly entitlements: EntitlementsService,
    private readonly exceptions: ExceptionsService,
    private readonly audit: AuditService,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  async recordPaid(tx: Tx, claim: PaidClaim): Promise<PaidOutcome> {
    const outcome = await this.judge(tx, claim);
    if (outcome === 'mismatched') return 'held';
    if (!WAITING.has(outcome)) await this.grants.retryNotices(tx, claim.outTradeNo);
    return outcome;
  }

  private async judge(tx: Tx, claim: PaidClaim): Promise<PaidOutcome | 'mismatched'> {
    const order = (await this.orders.lockByOutTradeNo(tx, claim.outTradeNo)) ?? (await this.build(tx, claim));
    if (!order) {
      await this.hearsay.confirm(tx, claim);
      return 'order_unknown';
    }
    const next = nextPaymentOrderState(order.status, 'payment_proven');
    if (next === null)
      return this.holds.hold(tx, order, `The order is in the unknown state "${order.status}".`);
    if (next === 'refunded') {
      await this.followRefunded(tx, order, claim);
      return 'refunded';
    }
    if (claim.evidence?.refunded) await this.holds.reportUnseenRefund(tx, order);
    if (claim.evidence?.openid && isOwnerless(order))
      await this.orders.completePayerOpenid(tx, order.id, claim.evidence.openid);
    const settled = await this.entitlements.settledAs(tx, order.outTradeNo);
    const rival = settled ? null : await this.findRival(tx, order, claim);
    if (rival) return this.holdForRival(tx, order, claim, rival);
    if (order.status === 'paid') await this.completePaid(tx, order, claim);
    else if (await this.hearsay.confirm(tx, claim)) return 'asked';
    else if (!claim.transactionId) return 'unproven';
    else await this.markPaid(tx, order, { ...claim, transactionId: claim.transactionId });
    if (settled === 'revoked') return this.keepRefunded(tx, order, claim);
    return settled ? this.grants.complete(tx, order, claim) : this.grants.grant(tx, order, claim);
  }

  /** What WeChat Pay itself says of a payment: a claim with evidence. */
  toClaim(payment: ProvenPayment, about: Pick<PaidClaim, 'source' | 'seenAt'>): PaidClaim {
    const { outTradeNo, transactionId, amount, paidAt, openid, tradeType, tradeState } = payment;
    const refunded = tradeState === 'REFUND';
    const evidence = { transactionId, amount, paidAt, openid, tradeType, refunded };
    return { ...about, outTradeNo, transactionId, openid, generationId: null, evidence };
  }

  /**
   * A transaction pays one order. A notice that names another order's proves nothing about this one; when WeChat Pay itself
   * names it, this one is paid, and the other has the number from somebody's word.
   */
  private async holdForRival(
    tx: Tx,
    order: OrderRecord,
    claim: PaidClaim,
    rival: string,
  ): Promise<'held' | 'mismatched'> {
    const { evidence } = claim;
    const reason = `Its transaction belongs to the order ${rival}.`;
    if (order.status === 'paid' || evidence) {
      if (order.status !== 'paid' && evidence)
        await this.markPaid(tx, order, { ...claim, transactionId: evidence.transactionId });
      return this.holds.hold(tx, order, reason, evidence && wordOf(evidence));
    }
    await this.exceptions.raise(tx, { kind: 'transaction_mismatch', subject: order.outTradeNo, reason });
    return 'mismatched';
  }

  /**
   * WeChat Pay will take no money for the order any more. True when that failed it; a paid order stays paid, and an operator
   * learns of it.
   */
  async recordClosed(tx: Tx, outTradeNo: OutTradeNo): Promise<boolean> {
    const order = await this.orders.lockByOutTradeNo(tx, outTradeNo);
    if (!order) return false;
    if (nextPaymentOrderState(order.status, 'closed') !== null) return this.orders.markClosed(tx, order.id);
    if (order.status === 'paid') await this.grants.doubtPayment(tx, order, { isFinal: true });
    return false;
  }

  /** WeChat Pay has no payment of the order yet. */
  async recordOpen(tx: Tx, outTradeNo: OutTradeNo): Promise<void> {
    // Nearly always it is pending: its row, which a function may hold, is waited for only where something is to be said.
    if ((await this.orders.findStatus(tx, outTradeNo))?.status !== 'paid') return;
    const order = await this.orders.lockByOutTradeNo(tx, outTradeNo);
    if (order?.status === 'paid') await this.grants.doubtPayment(tx, order, { isFinal: false });
  }

  /** The order, locked, for those who want to give its money back. */
  async lockForRefund(tx: Tx, outTradeNo: OutTradeNo): Promise<RefundableOrder | null> {
    const order = await this.orders.lockByOutTradeNo(tx, outTradeNo);
    return order && { ...order, transactionId: realTransactionId(order) };
  }

  /** All of its money went back: the order is refunded, and what it gave is taken back. False when it was never paid here. */
  async recordRefunded(tx: Tx, refund: FullRefund): Promise<boolean> {
    const order = await this.orders.lockByOutTradeNo(tx, refund.outTradeNo);
    if (!order || nextPaymentOrderState(order.status, 'fully_refunded') === null) return false;
    if (await this.orders.markRefunded(tx, order.id, refund.reason)) {
      await this.audit.append(tx, {
        actor: refund.by,
        action: 'order.refunded',
        targetType: 'payment_order',
        targetId: order.outTradeNo,
        before: { status: order.status },
        after: { status: 'refunded' },
        reason: refund.reason ?? undefined,
      });
    }
    await this.entitlements.revokeForOrder(tx, {
      ...order,
      by: refund.by,
      reason: refund.reason ?? 'the order was refunded',
    });
    await this.exceptions.resolveAll(tx, {
      kinds: ENDED_BY_REFUND,
      subject: order.outTradeNo,
      by: refund.by,
      resolution: 'all of its money went back',
    });
    return true;
  }

  /** Has WeChat Pay asked about the order soon; false where that is not possible. */
  askSoon(tx: Tx, outTradeNo: OutTradeNo): Promise<boolean> {
    return this.hearsay.ask(tx, outTradeNo);
  }

  /** For orders WeChat Pay does not answer about: what the table calls paid is judged by the table's own amount. */
  judgeByTable(tx: Tx, outTradeNo: OutTradeNo, seenAt: Date): Promise<PaidOutcome> {
    const nobody = { evidence: null, transactionId: null, openid: null, generationId: null };
    return this.recordPaid(tx, { outTradeNo, source: 'wechat-unreachable', seenAt, ...nobody });
  }

  findCreatedAt(outTradeNo: OutTradeNo): Promise<Date | null> {
    return this.orders.findCreatedAt(this.unitOfWork.reader, outTradeNo);
  }

  /** Somebody called the order refunded. Nothing is granted any more; what was granted is taken back on WeChat Pay's word. */
  private async followRefunded(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<void> {
    const by = `system:${claim.source}`;
    await this.entitlements.barRefundedOrder(tx, { ...order, by });
    const isRevoked = (await this.entitlements.settledAs(tx, order.outTradeNo)) === 'revoked';
    if (isRevoked && (await this.orders.hasRefund(tx, order.outTradeNo))) return;
    if (claim.evidence?.refunded) {
      await this.holds.reportUnseenRefund(tx, order);
      if (!isRevoked)
        await this.entitlements.revokeForOrder(tx, { ...order, by, reason: 'the order was refunded' });
      return;
    }
    // A callback may be older than the refund: how it is now says only an answer.
    if (claim.source !== 'wechat-query') {
      if (claim.source !== 'wechat-unreachable') await this.hearsay.ask(tx, order.outTradeNo);
      return;
    }
    await this.exceptions.raise(tx, {
      kind: 'refund_conflict',
      subject: order.outTradeNo,
      reason: 'The table calls this order refunded, and WeChat Pay says that nothing of it went back.',
    });
  }

  /** A late duplicate of the payment's notice makes a function set a refunded row back to paid. */
  private async keepRefunded(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<'refunded'> {
    if (!(await this.entitlements.wasRefunded(tx, order.outTradeNo))) return 'refunded';
    if (await this.orders.markRefunded(tx, order.id, null)) {
      await this.audit.append(tx, {
        actor: `system:${claim.source}`,
        action: 'order.refund_restored',
        targetType: 'payment_order',
        targetId: order.outTradeNo,
        before: { status: 'paid' },
        after: { status: 'refunded' },
        reason: 'The order had been refunded; something set it back to paid.',
      });
    }
    return 'refunded';
  }

  /**
   * The row of an order that only WeChat Pay knows, written as the callers rescue one: its package is a guess
   * until the amount decides, and a backup that comes later completes it.
   */
  private async build(tx: Tx, { outTradeNo, evidence }: PaidClaim): Promise<OrderRecord | null> {
    if (!evidence) return null;
    const userId = await this.users.ensureOwner(tx, { outTradeNo, userId: null, openid: evidence.openid });
    const id = rescueOrderId(outTradeNo);
    try {
      await this.orders.insertPending(tx, {
        id: isId(id) ? id : stableOrderId(outTradeNo),
        outTradeNo,
        userId,
        generationId: userId,
        amount: evidence.amount,
        packageType: 'basic',
        tradeType: evidence.tradeType ?? 'JSAPI',
        payerOpenid: evidence.openid,
        createdAt: evidence.paidAt,
      });
    } catch (error) {
      // A rival wrote the row meanwhile: that one counts.
      if (!isDuplicateEntry(error)) throw error;
    }
    return this.orders.lockByOutTradeNo(tx, outTradeNo);
  }

  /** The order that this one's transaction has paid already, if there is one. */
  private async findRival(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<string | null> {
    const transactionId = claimedTransaction(order, claim);
    return transactionId ? this.orders.findOtherByTransactionId(tx, transactionId, order.outTradeNo) : null;
  }

  private async markPaid(
    tx: Tx,
    order: OrderRecord,
    claim: PaidClaim & { transactionId: string },
  ): Promise<void> {
    await this.reportOtherTransaction(tx, order, claim);
    await this.orders.markPaid(tx, {
      id: order.id,
      transactionId: claim.transactionId,
      paidAt: claim.evidence?.paidAt ?? claim.seenAt,
    });
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
    if (claim.evidence && !order.paidAt)
      await this.orders.completePaidAt(tx, order.id, claim.evidence.paidAt);
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
}
