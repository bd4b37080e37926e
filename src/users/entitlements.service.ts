import { Injectable } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { OutTradeNo } from '../shared/ids.js';
import { EntitlementsRepository } from './entitlements.repository.js';
import { UsersRepository } from './users.repository.js';

export type OrderGrant = {
  readonly outTradeNo: OutTradeNo;
  readonly userId: string;
  readonly packageType: 'basic' | 'premium';
  readonly transactionId: string | null;
  /** Which road led here, for example `system:notify`. */
  readonly grantedBy: string;
};

export type GrantOutcome = 'granted' | 'already_granted' | 'revoked' | 'transaction_used';

/** The append-only ledger of entitlements. A line inserted is the right to change the user; the order's status decides nothing. */
@Injectable()
export class EntitlementsService {
  constructor(
    private readonly entitlements: EntitlementsRepository,
    private readonly users: UsersRepository,
    private readonly config: AppConfig,
  ) {}

  /** The caller holds the order's row lock. Grants once per order and once per transaction, for ever. */
  async grantForOrder(tx: Tx, grant: OrderGrant): Promise<GrantOutcome> {
    const known = await this.settledAs(tx, grant.outTradeNo);
    if (known) return known;
    const credits = this.config.regenerateCredits[grant.packageType];
    try {
      await this.entitlements.append(tx, {
        ...grant,
        entry: 'grant',
        regenerateDelta: credits,
        reason: null,
      });
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      return (await this.settledAs(tx, grant.outTradeNo)) ?? 'transaction_used';
    }
    if (!(await this.users.raise(tx, grant.userId, { packageType: grant.packageType, credits }))) {
      throw new Error('the user of a grant must exist before it');
    }
    return 'granted';
  }

  /** Who was granted what for the order; null when nothing, or nothing that unlocks anything. */
  async findGrant(
    tx: Tx,
    outTradeNo: OutTradeNo,
  ): Promise<{ userId: string; packageType: 'basic' | 'premium' } | null> {
    const grant = await this.entitlements.findGrant(tx, outTradeNo);
    if (grant?.packageType !== 'basic' && grant?.packageType !== 'premium') return null;
    return { userId: grant.userId, packageType: grant.packageType };
  }

  /** What the ledger says about the order already; null when nothing. */
  async settledAs(tx: Tx, outTradeNo: OutTradeNo): Promise<'already_granted' | 'revoked' | null> {
    const entries = await this.entitlements.listEntries(tx, outTradeNo);
    if (entries.includes('revocation')) return 'revoked';
    return entries.includes('grant') ? 'already_granted' : null;
  }

  /** Closes the ledger of an order that was refunded before anything was granted, so that a late duplicate cannot grant it. */
  async barRefundedOrder(
    tx: Tx,
    order: { outTradeNo: OutTradeNo; userId: string; by: string },
  ): Promise<void> {
    if (await this.settledAs(tx, order.outTradeNo)) return;
    try {
      await this.entitlements.append(tx, {
        outTradeNo: order.outTradeNo,
        entry: 'revocation',
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
}
