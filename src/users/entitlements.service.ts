import { Injectable } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { OutTradeNo } from '../shared/ids.js';
import { EntitlementsRepository } from './entitlements.repository.js';
import type { NewLine } from './entitlements.repository.js';
import { settledBy } from './entitlements.types.js';
import type { LedgerLine, LedgerOrigin, OrderSettlement, Settlement } from './entitlements.types.js';
import { UsersRepository } from './users.repository.js';

export type OrderGrant = {
  readonly outTradeNo: OutTradeNo;
  readonly userId: string;
  readonly packageType: 'basic' | 'premium';
  readonly transactionId: string | null;
  /** Which road led here, for example `system:notify`. */
  readonly grantedBy: string;
};

export type RefundedOrder = {
  readonly outTradeNo: OutTradeNo;
  /** The order's user: who the barring line names when nothing was granted. */
  readonly userId: string;
  readonly reason: string;
  readonly by: string;
};

export type RevokeOutcome = 'revoked' | 'already_revoked' | 'barred';

/** A grant that is taken back: of an order, or by the key of one made by hand. */
export type TakenBack = {
  readonly outTradeNo: string;
  readonly reason: string;
  readonly by: string;
  readonly origin: Exclude<LedgerOrigin, 'fulfilled_earlier'>;
};

const RANK = { free: 0, basic: 1, premium: 2 } as const;

export type GrantOutcome = 'granted' | 'already_granted' | 'revoked' | 'transaction_used';

/** The append-only ledger of entitlements. A line inserted is the right to change the user; the order's status decides nothing. */
@Injectable()
export class EntitlementsService {
  constructor(
    private readonly entitlements: EntitlementsRepository,
    private readonly users: UsersRepository,
    private readonly config: AppConfig,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The caller holds the order's row lock. Grants once per order and once per transaction, for ever. */
  async grantForOrder(tx: Tx, grant: OrderGrant): Promise<GrantOutcome> {
    const known = await this.settledAs(tx, grant.outTradeNo);
    if (known) return known;
    try {
      await this.entitlements.append(tx, this.toLine(grant));
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      return (await this.settledAs(tx, grant.outTradeNo)) ?? 'transaction_used';
    }
    await this.raise(tx, [grant]);
    return 'granted';
  }

  /**
   * The same for many orders. The caller holds the rows of all orders and users, and has seen the ledger without lines of them.
   * @throws a duplicate-entry error when one of them is not as it was seen; then none is granted
   */
  async grantForOrders(tx: Tx, grants: readonly OrderGrant[]): Promise<void> {
    if (grants.length === 0) return;
    await this.entitlements.append(tx, ...grants.map((grant) => this.toLine(grant)));
    await this.raise(tx, grants);
  }

  /** What the ledger says about each of these orders; those it says nothing about are left out. */
  async listSettled(tx: Tx, outTradeNos: readonly string[]): Promise<Map<string, OrderSettlement>> {
    const settled = new Map<string, OrderSettlement>();
    const entries = await this.entitlements.listOfOrders(tx, outTradeNos);
    for (const [outTradeNo, lines] of Map.groupBy(entries, (line) => line.outTradeNo)) {
      const as = settledBy(lines.map(({ entry }) => entry));
      const grant = lines.find(({ entry }) => entry === 'grant') ?? null;
      if (as) settled.set(outTradeNo, { as, grant });
    }
    return settled;
  }

  /** Those of the transactions that an order was granted for already. */
  async filterGranted(tx: Tx, transactionIds: readonly string[]): Promise<Set<string>> {
    return new Set(await this.entitlements.filterGranted(tx, transactionIds));
  }

  /** Who was granted what for the order; null when nothing, or nothing that unlocks anything. */
  async findGrant(
    tx: Tx,
    outTradeNo: OutTradeNo,
  ): Promise<{ userId: string; packageType: 'basic' | 'premium'; grantedBy: string } | null> {
    const grant = await this.entitlements.findGrant(tx, outTradeNo);
    if (grant?.packageType !== 'basic' && grant?.packageType !== 'premium') return null;
    return { userId: grant.userId, packageType: grant.packageType, grantedBy: grant.grantedBy };
  }

  /** What the ledger says about the order already; null when nothing. */
  async settledAs(tx: Tx, outTradeNo: OutTradeNo): Promise<Settlement | null> {
    return settledBy(await this.entitlements.listEntries(tx, outTradeNo));
  }

  /** True when the order was refunded: the ledger closed it, whatever a late duplicate makes its row say. */
  async wasRefunded(tx: Tx, outTradeNo: OutTradeNo): Promise<boolean> {
    return this.entitlements.hasRefundRevocation(tx, outTradeNo);
  }

  /** What the ledger says of an order, the oldest first. */
  listOfOrder(outTradeNo: string): Promise<LedgerLine[]> {
    return this.entitlements.listOfOrder(this.unitOfWork.reader, outTradeNo);
  }

  /**
   * Takes back what a refunded order gave. The caller holds the order's row lock.
   * An order that nothing was granted for is barred, so that a late duplicate cannot grant it.
   */
  async revokeForOrder(tx: Tx, order: RefundedOrder): Promise<RevokeOutcome> {
    const outcome = await this.revoke(tx, { ...order, origin: 'payment' });
    if (outcome !== 'not_granted') return outcome;
    await this.barRefundedOrder(tx, order);
    return 'barred';
  }

  /**
   * Takes back a grant by a line in the ledger: the user falls to the highest grant that is left, and loses the credits of
   * this one that are still there, never more. Of two at once the ledger's unique key lets one through.
   */
  async revoke(tx: Tx, taken: TakenBack): Promise<'revoked' | 'already_revoked' | 'not_granted'> {
    const entries = await this.entitlements.listEntries(tx, taken.outTradeNo);
    if (entries.includes('revocation')) return 'already_revoked';
    const grant = await this.entitlements.findGrant(tx, taken.outTradeNo);
    if (!grant) return 'not_granted';
    const held = await this.users.lockEntitlement(tx, grant.userId);
    const credits = Math.min(Math.max(held?.credits ?? 0, 0), grant.regenerateDelta);
    try {
      await this.entitlements.append(tx, {
        outTradeNo: taken.outTradeNo,
        entry: 'revocation',
        origin: taken.origin,
        userId: grant.userId,
        packageType: grant.packageType,
        regenerateDelta: credits === 0 ? 0 : -credits,
        transactionId: null,
        reason: taken.reason,
        grantedBy: taken.by,
      });
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      return 'already_revoked';
    }
    if (!held) return 'revoked';
    const highest = await this.entitlements.highestLivePackage(tx, grant.userId);
    // A package above the one that is taken back came from elsewhere, and stays.
    const isHigher = RANK[held.packageType] > RANK[grant.packageType];
    const packageType = isHigher ? held.packageType : highest;
    await this.users.lower(tx, grant.userId, { packageType, credits });
    return 'revoked';
  }

  /** Closes the ledger of an order that was refunded before anything was granted, so that a late duplicate cannot grant it. */
  async barRefundedOrder(tx: Tx, order: Omit<RefundedOrder, 'reason'>): Promise<void> {
    if (await this.settledAs(tx, order.outTradeNo)) return;
    try {
      await this.entitlements.append(tx, {
        outTradeNo: order.outTradeNo,
        entry: 'revocation',
        origin: 'payment',
        userId: order.userId,
        packageType: 'free',
        regenerateDelta: 0,
        transactionId: null,
        reason: 'refunded before anything was granted',
        grantedBy: order.by,
      });
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
    }
  }

  private toLine(grant: OrderGrant): NewLine {
    return {
      ...grant,
      entry: 'grant',
      origin: 'payment',
      regenerateDelta: this.config.regenerateCredits[grant.packageType],
      reason: null,
    };
  }

  /** Users who were granted the same are raised together; one with several orders by all of them at once. */
  private async raise(tx: Tx, grants: readonly OrderGrant[]): Promise<void> {
    const raises = [...Map.groupBy(grants, ({ userId }) => userId)].map(([userId, of]) => {
      const credits = of.reduce(
        (sum, { packageType }) => sum + this.config.regenerateCredits[packageType],
        0,
      );
      const packageType = of.some((grant) => grant.packageType === 'premium') ? 'premium' : 'basic';
      return { userId, packageType, credits } as const;
    });
    const groups = Map.groupBy(raises, ({ packageType, credits }) => `${packageType} ${credits}`);
    for (const group of groups.values()) {
      const [by] = group;
      const ids = group.map(({ userId }) => userId);
      if (by && (await this.users.raise(tx, ids, by)) !== ids.length) {
        throw new Error('the user of a grant must exist before it');
      }
    }
  }
}
