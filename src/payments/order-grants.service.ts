import { Injectable } from '@nestjs/common';
import { GenerationsService } from '../generations/generations.service.js';
import { AuditService } from '../platform/audit/audit.service.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { QuarantineService } from '../platform/inbox/quarantine.service.js';
import { OutboxService } from '../platform/outbox/outbox.service.js';
import { PricesService } from '../prices/prices.service.js';
import { EntitlementsService } from '../users/entitlements.service.js';
import type { GrantOutcome } from '../users/entitlements.service.js';
import { UsersService } from '../users/users.service.js';
import { HearsayService } from './hearsay.service.js';
import { decidePackage } from './package-decision.js';
import type { PackageDecision, PaidPackage } from './package-decision.js';
import { giftOf, isOwnerless, isRescued, noticeOf, priceWindow } from './grant-rules.js';
import type { Gift } from './grant-rules.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { OrderRecord } from './order-record.js';
import type { PaidClaim, PaidOutcome, PaymentEvidence } from './payments.types.js';

/** Exceptions about an order that end by themselves when it is granted. */
const ENDED_BY_GRANT = [
  'payment_held',
  'order_unknown',
  'payment_unproven',
  'impossible_amount',
  'settling_failed',
] as const;

/** Why a notice of a payment may be aside; what that notice alone knows still takes effect. */
const NOTICES_ASIDE = ['order_unknown', 'payment_unproven'] as const;

type Decision = PackageDecision & { readonly told?: PaymentEvidence | null };

/** What a paid order gives its user: which package the money buys, who gets it, and what is held instead. */
@Injectable()
export class OrderGrantsService {
  constructor(
    private readonly orders: PaymentOrdersRepository,
    private readonly prices: PricesService,
    private readonly users: UsersService,
    private readonly entitlements: EntitlementsService,
    private readonly generations: GenerationsService,
    private readonly exceptions: ExceptionsService,
    private readonly outbox: OutboxService,
    private readonly quarantine: QuarantineService,
    private readonly audit: AuditService,
    private readonly hearsay: HearsayService,
  ) {}

  async grant(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<PaidOutcome> {
    // A late duplicate callback turns a refunded row back to paid: money that went back grants nothing by itself.
    if (await this.orders.hasRefund(tx, order.outTradeNo)) {
      return this.hold(tx, order, 'It was refunded, or is being refunded, before anything was granted.');
    }
    const decision = await this.decide(tx, order, claim);
    if (decision.kind === 'hold') {
      await this.hearsay.confirm(tx, claim);
      return this.hold(tx, order, decision.reason, decision.told);
    }
    const userId = await this.beneficiary(tx, order, claim);
    if (!userId) return this.hold(tx, order, 'Nobody is known to whom the order or its payment belongs.');
    if (decision.repaired) await this.repairPackage(tx, order, decision.packageType);
    const { packageType } = decision;
    const outcome = await this.give(tx, order, giftOf(order, claim, { userId, packageType }));
    if (outcome === 'transaction_used') {
      return this.hold(tx, order, 'Its transaction has already paid for another order.');
    }
    return outcome === 'revoked' ? 'refunded' : outcome;
  }

  /** The line in the ledger, and what follows from it: the generation unlocked, the notice staged, what waited resolved. */
  async give(tx: Tx, order: OrderRecord, gift: Gift): Promise<GrantOutcome> {
    const { userId, packageType, transactionId, grantedBy, resolution } = gift;
    const { outTradeNo } = order;
    const outcome = await this.entitlements.grantForOrder(tx, {
      outTradeNo,
      userId,
      packageType,
      transactionId,
      grantedBy,
    });
    if (outcome !== 'granted') return outcome;
    await this.unlock(tx, order, gift);
    await this.resolveExceptions(tx, order, resolution);
    await this.outbox.stage(tx, noticeOf(order, gift));
    return outcome;
  }

  /** Granted before: what this claim alone knows still takes effect. */
  async complete(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<'already_granted'> {
    const { evidence, generationId } = claim;
    const isOtherAmount = evidence !== null && order.amount?.equals(evidence.amount) === false;
    const grant =
      generationId || isOtherAmount ? await this.entitlements.findGrant(tx, order.outTradeNo) : null;
    if (grant && generationId) await this.unlock(tx, order, { ...grant, generationId });
    // An operator has seen the amount that was granted for.
    if (isOtherAmount && grant?.grantedBy.startsWith('system:')) {
      await this.exceptions.raise(tx, {
        kind: 'amount_mismatch',
        subject: order.outTradeNo,
        reason: wordsAboutAmount(order, evidence),
        detail: { packageType: grant.packageType, wechatpay: { amountFen: evidence.amount.fen } },
      });
    }
    await this.resolveExceptions(tx, order, { by: 'system:payments', words: 'it is granted' });
    return 'already_granted';
  }

  /** The order is known and judged: the notices that were aside for want of that are tried again. */
  async retryNotices(tx: Tx, outTradeNo: string): Promise<void> {
    await this.quarantine.retry(tx, outTradeNo, NOTICES_ASIDE);
  }

  /** @param told WeChat Pay's word that the hold rests on: no claim without such a word undoes it */
  async hold(
    tx: Tx,
    order: OrderRecord,
    reason: string,
    told: PaymentEvidence | null = null,
  ): Promise<'held'> {
    const { outTradeNo, id: orderId, packageType, amount } = order;
    await this.exceptions.raise(tx, {
      kind: 'payment_held',
      subject: outTradeNo,
      reason,
      detail: {
        orderId,
        packageType,
        amountFen: amount?.fen ?? null,
        ...(told && { wechatpay: { amountFen: told.amount.fen, refunded: told.refunded } }),
      },
      supersedes: told !== null,
    });
    return 'held';
  }

  private async decide(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<Decision> {
    const rescued = isRescued(order);
    if (rescued && (await this.hearsay.confirm(tx, claim))) {
      return { kind: 'hold', reason: 'The row was rescued: WeChat Pay is being asked what was paid.' };
    }
    const { evidence } = claim;
    const amount = evidence?.amount ?? order.amount;
    const doubt = evidence
      ? await this.doubtAboutAmount(tx, order, { isRescued: rescued, evidence })
      : await this.earlierDoubt(tx, order);
    if (doubt) return { kind: 'hold', reason: doubt, told: evidence };
    const legitimate = await this.prices.legitimatePrices(tx, priceWindow(order, claim));
    return decidePackage({ packageType: order.packageType, amount, isRescued: rescued, legitimate });
  }

  /** WeChat Pay's amount is the truth; a row that says another one is for an operator, unless it said none. */
  private async doubtAboutAmount(
    tx: Tx,
    order: OrderRecord,
    { evidence, isRescued }: { evidence: PaymentEvidence; isRescued: boolean },
  ): Promise<string | null> {
    if (evidence.refunded)
      return 'WeChat Pay says that it was refunded, in part or whole, before it was granted.';
    if (order.amount?.equals(evidence.amount)) return null;
    if (isRescued && order.amount?.isZero()) {
      await this.orders.completeAmount(tx, order.id, evidence.amount);
      return null;
    }
    return wordsAboutAmount(order, evidence);
  }

  /** A notice and the table know less than WeChat Pay did when it had the order held. */
  private async earlierDoubt(tx: Tx, order: OrderRecord): Promise<string | null> {
    const held = await this.exceptions.findUnresolved(tx, 'payment_held', order.outTradeNo);
    return held?.detail.wechatpay ? held.reason : null;
  }

  /** The order's user, or, when nobody claimed the order, the payer. Null when neither is known. */
  async beneficiary(
    tx: Tx,
    order: OrderRecord,
    payer: { evidence: PaymentEvidence | null; openid: string | null } | null,
  ): Promise<string | null> {
    const { outTradeNo, userId } = order;
    // The payer may be somebody else, a friend who scanned the code: their openid says nothing about this user.
    if (!isOwnerless(order)) {
      return this.users.ensureOwner(tx, { outTradeNo, userId, openid: null });
    }
    const openid = payer?.evidence?.openid ?? payer?.openid ?? order.payerOpenid;
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

  private async unlock(
    tx: Tx,
    order: OrderRecord,
    paid: { generationId: string | null; userId: string; packageType: PaidPackage },
  ): Promise<void> {
    await this.generations.unlockForOrders(tx, { ...paid, orderId: order.id });
  }

  private async resolveExceptions(
    tx: Tx,
    order: OrderRecord,
    { by, words }: Gift['resolution'],
  ): Promise<void> {
    const { outTradeNo: subject } = order;
    await this.exceptions.resolveAll(tx, { kinds: ENDED_BY_GRANT, subject, by, resolution: words });
  }
}

function wordsAboutAmount({ amount }: OrderRecord, told: PaymentEvidence): string {
  return `WeChat Pay was paid ${told.amount.toYuan()} yuan, the order says ${amount?.toYuan() ?? 'no amount'}.`;
}
