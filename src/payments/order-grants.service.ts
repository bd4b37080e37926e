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
import { contradictionOf, HoldsService, NOT_PAID, wordOf } from './holds.service.js';
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

/** Who granted on WeChat Pay's own word. */
const GRANTED_BY_WECHATPAY: ReadonlySet<string> = new Set(['system:wechat-query', 'system:wechat-callback']);

/** Why a notice of a payment may be aside; what that notice alone knows still takes effect. */
const NOTICES_ASIDE = ['order_unknown', 'payment_unproven'] as const;

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
    private readonly holds: HoldsService,
  ) {}

  async grant(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<PaidOutcome> {
    const standing = await this.holds.findStanding(tx, order, claim);
    if (standing) {
      await this.hearsay.confirm(tx, claim);
      return this.holds.hold(tx, order, standing);
    }
    // Whatever the order is held for: what WeChat Pay said is kept with it.
    const told = claim.evidence && wordOf(claim.evidence);
    // A late duplicate callback turns a refunded row back to paid: money that went back grants nothing by itself.
    if (await this.orders.hasRefund(tx, order.outTradeNo)) {
      const reason = 'It was refunded, or is being refunded, before anything was granted.';
      return this.holds.hold(tx, order, reason, told);
    }
    const decision = await this.decide(tx, order, claim);
    if (decision.kind === 'hold') {
      await this.hearsay.confirm(tx, claim);
      return this.holds.hold(tx, order, decision.reason, told);
    }
    const userId = await this.beneficiary(tx, order, claim);
    if (!userId) {
      return this.holds.hold(tx, order, 'Nobody is known to whom the order or its payment belongs.', told);
    }
    if (decision.repaired) await this.repairPackage(tx, order, decision.packageType);
    const { packageType } = decision;
    const outcome = await this.give(tx, order, giftOf(order, claim, { userId, packageType }));
    if (outcome === 'transaction_used') {
      return this.holds.hold(tx, order, 'Its transaction has already paid for another order.', told);
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
    // A refund after the grant is told as one; another amount is told nowhere else.
    const against = evidence && contradictionOf(order, { ...evidence, refunded: false });
    const grant = generationId || against ? await this.entitlements.findGrant(tx, order.outTradeNo) : null;
    if (grant && generationId) await this.unlock(tx, order, { ...grant, generationId });
    if (grant && against) {
      await this.holds.contradict(tx, order, { told: wordOf(evidence), reason: against, ...grant });
    }
    if (evidence && !against) await this.holds.endContradiction(tx, order);
    await this.resolveExceptions(tx, order, { by: 'system:payments', words: 'it is granted' });
    return 'already_granted';
  }

  /** The order is known and judged: the notices that were aside for want of that are tried again. */
  async retryNotices(tx: Tx, outTradeNo: string): Promise<void> {
    await this.quarantine.retry(tx, outTradeNo, NOTICES_ASIDE);
  }

  /** WeChat Pay says that nobody paid; `isFinal` when nobody ever will. What the table had granted or held is for an operator. */
  async doubtPayment(tx: Tx, order: OrderRecord, { isFinal }: { isFinal: boolean }): Promise<void> {
    const reason = 'The table calls this order paid, and WeChat Pay says that nobody paid it.';
    // It was paid once: an answer that it was not is older, or none of WeChat Pay's.
    const held = await this.holds.find(tx, order);
    if (held?.told && held.told.state !== 'not_paid') return;
    const settled = await this.entitlements.settledAs(tx, order.outTradeNo);
    if (settled === 'already_granted') {
      const grant = isFinal ? await this.entitlements.findGrant(tx, order.outTradeNo) : null;
      if (grant && !GRANTED_BY_WECHATPAY.has(grant.grantedBy))
        await this.holds.contradict(tx, order, { told: NOT_PAID, reason, ...grant });
      return;
    }
    // Until it is final, the payment may be younger than the answer: only a hold that waited for the answer gets it.
    const isWaiting = held !== null && held.status !== 'resolved';
    if (!settled && (isFinal || isWaiting)) {
      await this.holds.hold(tx, order, reason, NOT_PAID);
    }
  }

  private async decide(tx: Tx, order: OrderRecord, claim: PaidClaim): Promise<PackageDecision> {
    const rescued = isRescued(order);
    if (rescued && (await this.hearsay.confirm(tx, claim))) {
      return { kind: 'hold', reason: 'The row was rescued: WeChat Pay is being asked what was paid.' };
    }
    const { evidence } = claim;
    const amount = evidence?.amount ?? order.amount;
    const doubt = evidence && (await this.doubtAboutAmount(tx, order, { isRescued: rescued, evidence }));
    if (doubt) return { kind: 'hold', reason: doubt };
    const legitimate = await this.prices.legitimatePrices(tx, priceWindow(order, claim));
    return decidePackage({ packageType: order.packageType, amount, isRescued: rescued, legitimate });
  }

  /** WeChat Pay's amount is the truth; a row that says another one is for an operator, unless it said none. */
  private async doubtAboutAmount(
    tx: Tx,
    order: OrderRecord,
    { evidence, isRescued }: { evidence: PaymentEvidence; isRescued: boolean },
  ): Promise<string | null> {
    if (!evidence.refunded && isRescued && order.amount?.isZero()) {
      await this.orders.completeAmount(tx, order.id, evidence.amount);
      return null;
    }
    return contradictionOf(order, evidence);
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
