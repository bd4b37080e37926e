import { Injectable } from '@nestjs/common';
import { GenerationsService } from '../generations/generations.service.js';
import { foldText } from '../platform/database/collation.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { OutboxService } from '../platform/outbox/outbox.service.js';
import { PricesService } from '../prices/prices.service.js';
import { EntitlementsService } from '../users/entitlements.service.js';
import { UsersService } from '../users/users.service.js';
import { claimedTransaction } from './grant-rules.js';
import { HearsayService } from './hearsay.service.js';
import type { OrderRecord } from './order-record.js';
import { PaidFactsRepository } from './paid-facts.repository.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { PaidClaim, PaidOutcome } from './payments.types.js';
import { isUsualQuestion, noticesOf, planUsual } from './usual-payment.js';
import type { OrderFacts, UsualPayment } from './usual-payment.js';

type Claimed = { readonly claim: PaidClaim; readonly order: OrderRecord };

/**
 * Records many payments in one transaction with a few statements: the facts are read and locked together, each payment is
 * decided in memory, and what they change is written together. Only usual ones; `PaymentsService.recordPaid` is for the rest.
 */
@Injectable()
export class UsualPaymentsService {
  constructor(
    private readonly facts: PaidFactsRepository,
    private readonly orders: PaymentOrdersRepository,
    private readonly prices: PricesService,
    private readonly users: UsersService,
    private readonly entitlements: EntitlementsService,
    private readonly generations: GenerationsService,
    private readonly exceptions: ExceptionsService,
    private readonly outbox: OutboxService,
    private readonly hearsay: HearsayService,
  ) {}

  /**
   * The outcome of each claim that was usual and is recorded, or asked about. A claim that is missing there was passed by: unusual, about an
   * order or a user that somebody holds or nobody knows, or one of several that want the same.
   * @throws when one of them turns out not to be as it was seen: nothing is recorded then, and each goes alone
   */
  async recordTogether(tx: Tx, claims: readonly PaidClaim[]): Promise<Map<PaidClaim, PaidOutcome>> {
    const { orders, unknown } = await this.lockOrders(tx, claims);
    const claimed = withoutRivals(orders);
    if (claimed.length + unknown.length === 0) return new Map();
    const facts = await this.readFacts(tx, claimed);
    const rules = {
      legitimate: await this.prices.readLegitimate(tx),
      isHearsay: (claim: PaidClaim) => this.hearsay.isConfirmable(claim),
    };
    const planned = claimed.flatMap(({ claim, order }) => {
      const about = facts.get(order);
      const plan = about && planUsual(claim, about, rules);
      return plan ? [plan] : [];
    });
    const usual = await this.lockUsers(tx, planned);
    await this.write(tx, usual);
    const asked = claimed.flatMap(({ claim, order }) => {
      const about = facts.get(order);
      return about && isUsualQuestion(claim, about, rules) ? [claim] : [];
    });
    const questions = [...asked, ...unknown.filter(rules.isHearsay)];
    await this.hearsay.askAll(tx, [...new Set(questions.map(({ outTradeNo }) => outTradeNo))]);
    return new Map<PaidClaim, PaidOutcome>([
      ...usual.map(({ claim, gift }) => [claim, gift ? 'granted' : 'already_granted'] as const),
      ...asked.map((claim) => [claim, 'asked'] as const),
      ...unknown.map((claim) => [claim, 'order_unknown'] as const),
    ]);
  }

  /** With evidence an unknown order is made of it, which is nothing usual. */
  private async lockOrders(
    tx: Tx,
    claims: readonly PaidClaim[],
  ): Promise<{ orders: Claimed[]; unknown: PaidClaim[] }> {
    if (claims.length === 0) return { orders: [], unknown: [] };
    const { free, unknown } = await this.facts.lockFree(
      tx,
      claims.map(({ outTradeNo }) => outTradeNo),
    );
    const byNumber = new Map(free.map((order) => [order.outTradeNo, order]));
    const withoutRow = new Set(unknown);
    return {
      orders: claims.flatMap((claim) => {
        const order = byNumber.get(claim.outTradeNo);
        return order ? [{ claim, order }] : [];
      }),
      unknown: claims.filter(({ outTradeNo, evidence }) => !evidence && withoutRow.has(outTradeNo)),
    };
  }

  private async readFacts(tx: Tx, claimed: readonly Claimed[]): Promise<Map<OrderRecord, OrderFacts>> {
    if (claimed.length === 0) return new Map();
    const numbers = claimed.map(({ order }) => order.outTradeNo);
    const settled = byFolded(await this.entitlements.listSettled(tx, numbers));
    const odd = new Set([
      ...(await this.facts.listRefunded(tx, numbers)).map(foldText),
      ...[...(await this.exceptions.filterUnresolved(tx, numbers))].map(foldText),
    ]);
    const unsettled = claimed.filter(({ order }) => !settled.has(foldText(order.outTradeNo)));
    const isRivalled = await this.findRivals(tx, unsettled);
    return new Map(
      claimed.map(({ claim, order }) => {
        const number = foldText(order.outTradeNo);
        const known = settled.get(number) ?? null;
        const isOdd = odd.has(number) || (!known && isRivalled(order, claim));
        return [order, { order, settled: known, isOdd }];
      }),
    );
  }

  /** Tells whether another order has, or was granted for, the transaction of a claim. */
  private async findRivals(
    tx: Tx,
    claimed: readonly Claimed[],
  ): Promise<(order: OrderRecord, claim: PaidClaim) => boolean> {
    const transactionIds = claimed.flatMap(({ claim, order }) => claimedTransaction(order, claim) ?? []);
    const carriers = await this.facts.listCarriers(tx, transactionIds);
    const granted = await this.entitlements.filterGranted(tx, transactionIds);
    const ofTransaction = Map.groupBy(carriers, ({ transactionId }) => foldText(transactionId));
    return (order, claim) => {
      const transactionId = claimedTransaction(order, claim);
      if (!transactionId) return false;
      const others = ofTransaction.get(foldText(transactionId)) ?? [];
      return granted.has(transactionId) || others.some(({ outTradeNo }) => outTradeNo !== order.outTradeNo);
    };
  }

  /** Those whose users there are, under the id that the order says, and whom nobody else holds. */
  private async lockUsers(tx: Tx, planned: readonly UsualPayment[]): Promise<UsualPayment[]> {
    const wanted = new Set(planned.flatMap(({ gift }) => gift?.userId ?? []));
    const known = await this.users.lockFree(tx, [...wanted]);
    return planned.filter(({ gift }) => !gift || known.has(gift.userId));
  }

  private async write(tx: Tx, payments: readonly UsualPayment[]): Promise<void> {
    const completions = payments.flatMap(({ completion }) => completion ?? []);
    if (completions.length > 0 && (await this.orders.markPaid(tx, ...completions)) !== completions.length) {
      throw new Error('an order whose row is locked must be as it was read');
    }
    const grants = payments.flatMap(({ order: { outTradeNo }, gift }) =>
      gift ? [{ outTradeNo, ...pickGrant(gift) }] : [],
    );
    await this.entitlements.grantForOrders(tx, grants);
    await this.generations.unlockForOrders(tx, ...payments.flatMap(({ unlock }) => unlock ?? []));
    await this.outbox.stageAll(tx, noticesOf(payments));
  }
}

function pickGrant({ userId, packageType, transactionId, grantedBy }: NonNullable<UsualPayment['gift']>) {
  return { userId, packageType, transactionId, grantedBy };
}

/** Of several that want what only one can have, which one gets it depends on their order: they go one after the other. */
function withoutRivals(claimed: readonly Claimed[]): Claimed[] {
  const wanted = Map.groupBy(claimed.flatMap(wantedBy), (thing) => thing);
  return claimed.filter((each) => wantedBy(each).every((thing) => wanted.get(thing)?.length === 1));
}

function wantedBy({ claim, order }: Claimed): string[] {
  const transactionId = claimedTransaction(order, claim);
  const generationId = claim.generationId ?? order.generationId;
  return [
    `order ${foldText(order.outTradeNo)}`,
    ...(transactionId ? [`transaction ${foldText(transactionId)}`] : []),
    ...(generationId !== order.userId ? [`generation ${foldText(generationId)}`] : []),
  ];
}

function byFolded<Value>(byText: ReadonlyMap<string, Value>): Map<string, Value> {
  return new Map([...byText].map(([text, value]) => [foldText(text), value]));
}
