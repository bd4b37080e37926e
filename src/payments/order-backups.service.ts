import { Injectable } from '@nestjs/common';
import { foldText } from '../platform/database/collation.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { PricesService } from '../prices/prices.service.js';
import { placeholderUserId, rescueOrderId, stableOrderId } from '../shared/ids.js';
import { UsersService } from '../users/users.service.js';
import { PRICE_CACHE_MS } from './grant-rules.js';
import { decidePackage } from './package-decision.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { NewOrder } from './payment-orders.repository.js';
import type { OrderRecord } from './order-record.js';
import { PaymentsService } from './payments.service.js';
import type { BackedUpOrder, CreatedOutcome } from './payments.types.js';

/** Brings orders that a cloud function backed up into the shared table. What is there already is completed, never overwritten. */
@Injectable()
export class OrderBackupsService {
  constructor(
    private readonly orders: PaymentOrdersRepository,
    private readonly payments: PaymentsService,
    private readonly prices: PricesService,
    private readonly users: UsersService,
    private readonly exceptions: ExceptionsService,
  ) {}

  async recordCreated(tx: Tx, backup: BackedUpOrder): Promise<CreatedOutcome> {
    const existing = await this.orders.lockByOutTradeNo(tx, backup.outTradeNo);
    if (existing) return this.complete(tx, existing, backup);
    const userId = await this.users.ensureOwner(tx, backup);
    const packageType = backup.packageType ?? (await this.guessPackage(tx, backup));
    for (const id of new Set([orderIdOf(backup), stableOrderId(backup.outTradeNo)])) {
      try {
        await this.orders.insertPending(tx, toOrder(backup, { id, userId, packageType }));
        return 'created';
      } catch (error) {
        if (!isDuplicateEntry(error)) throw error;
        // The number is taken: its row was committed meanwhile. Or the id is, by another order: try our own.
        const rival = await this.orders.lockByOutTradeNo(tx, backup.outTradeNo);
        if (rival) return this.complete(tx, rival, backup);
      }
    }
    throw new Error('an order could be inserted under none of its ids');
  }

  /**
   * Those of the orders that are recorded: new ones with a known package and a user about whom there is no question. The
   * others are for {@link recordCreated}, one by one.
   * @throws a duplicate-entry error when a rival wrote one of them meanwhile: then none is recorded
   */
  async recordTogether(tx: Tx, backups: readonly BackedUpOrder[]): Promise<Set<BackedUpOrder>> {
    const keys = Map.groupBy(backups.flatMap(keysOf), (key) => key);
    const alone = backups.filter((backup) => keysOf(backup).every((key) => keys.get(key)?.length === 1));
    if (alone.length === 0) return new Set();
    const outTradeNos = alone.map(({ outTradeNo }) => outTradeNo);
    const taken = await this.orders.listTaken(tx, { outTradeNos, ids: alone.map(orderIdOf) });
    const known = new Set(taken.map(foldText));
    const fresh = alone.filter((backup) => !keysOf(backup).some((key) => known.has(key)));
    const owned = await this.users.ensureNamed(
      tx,
      fresh.filter(({ packageType }) => packageType !== null),
    );
    const orders = [...owned].flatMap((backup) => {
      const { userId, packageType } = backup;
      return userId && packageType ? [toOrder(backup, { id: orderIdOf(backup), userId, packageType })] : [];
    });
    if (orders.length > 0) await this.orders.insertPending(tx, ...orders);
    return owned;
  }

  private async complete(tx: Tx, existing: OrderRecord, backup: BackedUpOrder): Promise<CreatedOutcome> {
    const isRescued = existing.id === rescueOrderId(backup.outTradeNo);
    if (backup.openid && !existing.payerOpenid) {
      await this.orders.completePayerOpenid(tx, existing.id, backup.openid);
    }
    const lacksAmount = isRescued && existing.amount?.isZero() === true;
    if (lacksAmount) await this.orders.completeAmount(tx, existing.id, backup.amount);
    const claimedUser = (await this.users.findOwner(tx, backup)) ?? backup.userId;
    const conflicts = findConflicts(existing, backup, { isRescued, lacksAmount, claimedUser });
    if (conflicts.length > 0) {
      await this.exceptions.raise(tx, {
        kind: 'order_conflict',
        subject: existing.outTradeNo,
        reason: `The order in the table differs from what a cloud function backed up: ${conflicts.join('; ')}.`,
        detail: {
          orderId: existing.id,
          backedUpAmountFen: backup.amount.fen,
          backedUpPackage: backup.statedPackage,
        },
      });
    }
    if (existing.status === 'paid') await this.settle(tx, backup);
    return conflicts.length > 0 ? 'conflict' : 'completed';
  }

  /** A paid row may have waited for just what the backup brought. */
  private async settle(tx: Tx, backup: BackedUpOrder): Promise<void> {
    await this.payments.recordPaid(tx, {
      outTradeNo: backup.outTradeNo,
      source: 'order-created',
      evidence: null,
      transactionId: null,
      openid: backup.openid,
      generationId: null,
      seenAt: backup.receivedAt,
    });
  }

  /**
   * An order without a package has a custom amount; only a price of exactly one package says what it buys. The backup follows
   * the order within seconds, or waited in a spool with its time.
   */
  private async guessPackage(tx: Tx, backup: BackedUpOrder): Promise<'free' | 'basic' | 'premium'> {
    const to = backup.receivedAt;
    const legitimate = await this.prices.legitimatePrices(tx, {
      from: new Date(to.getTime() - PRICE_CACHE_MS),
      to,
    });
    const decision = decidePackage({
      packageType: 'unknown',
      amount: backup.amount,
      isRescued: true,
      legitimate,
    });
    if (decision.kind === 'grant') return decision.packageType;
    await this.exceptions.raise(tx, {
      kind: 'package_unknown',
      subject: backup.outTradeNo,
      reason: `The order names no known package, and ${backup.amount.toYuan()} yuan is the price of none; it was kept as "free".`,
      detail: { statedPackage: backup.statedPackage },
    });
    return 'free';
  }
}

function orderIdOf({ orderId, outTradeNo }: BackedUpOrder): string {
  return orderId ?? stableOrderId(outTradeNo);
}

/** What only one order can have. */
function keysOf(backup: BackedUpOrder): string[] {
  return [foldText(backup.outTradeNo), foldText(orderIdOf(backup))];
}

function toOrder(backup: BackedUpOrder, order: Pick<NewOrder, 'id' | 'userId' | 'packageType'>): NewOrder {
  return {
    ...order,
    outTradeNo: backup.outTradeNo,
    // The callers write the user in place of a generation they do not have, and never tell us a generation.
    generationId: order.userId,
    amount: backup.amount,
    tradeType: backup.tradeType,
    payerOpenid: backup.openid,
    createdAt: backup.receivedAt,
  };
}

function findConflicts(
  existing: OrderRecord,
  backup: BackedUpOrder,
  about: { isRescued: boolean; lacksAmount: boolean; claimedUser: string | null },
): string[] {
  const conflicts: string[] = [];
  if (!about.lacksAmount && !existing.amount?.equals(backup.amount)) {
    conflicts.push(
      `amount ${existing.amount?.toYuan() ?? 'unreadable'} against ${backup.amount.toYuan()} yuan`,
    );
  }
  if (!about.isRescued && backup.packageType && existing.packageType !== backup.packageType) {
    conflicts.push(`package ${existing.packageType} against ${backup.packageType}`);
  }
  const { claimedUser } = about;
  const isSameUser = [claimedUser, placeholderUserId(backup.outTradeNo)].includes(existing.userId);
  if (claimedUser && !isSameUser) conflicts.push(`user ${existing.userId} against ${claimedUser}`);
  return conflicts;
}
