import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

export type LedgerEntry = 'grant' | 'revocation';
export type PackageType = 'free' | 'basic' | 'premium';

export type GrantLine = {
  readonly userId: string;
  readonly packageType: PackageType;
  readonly regenerateDelta: number;
};

export type LedgerLine = {
  readonly outTradeNo: string;
  readonly entry: LedgerEntry;
  readonly userId: string;
  readonly packageType: PackageType;
  readonly regenerateDelta: number;
  readonly transactionId: string | null;
  readonly reason: string | null;
  readonly grantedBy: string;
};

@Injectable()
export class EntitlementsRepository {
  async listEntries(tx: Tx, outTradeNo: string): Promise<LedgerEntry[]> {
    const rows = await tx.query<{ entry: LedgerEntry }[]>(
      'SELECT entry FROM entitlement_grants WHERE out_trade_no = ?',
      [outTradeNo],
    );
    return rows.map(({ entry }) => entry);
  }

  async findGrant(tx: Tx, outTradeNo: string): Promise<GrantLine | null> {
    const [row] = await tx.query<
      { user_id: string; package_type: GrantLine['packageType']; regenerate_delta: number }[]
    >(
      "SELECT user_id, package_type, regenerate_delta FROM entitlement_grants WHERE out_trade_no = ? AND entry = 'grant'",
      [outTradeNo],
    );
    if (!row) return null;
    return { userId: row.user_id, packageType: row.package_type, regenerateDelta: row.regenerate_delta };
  }

  /** True when the order was refunded, and not only its grant taken back by hand. */
  async hasRefundRevocation(tx: Tx, outTradeNo: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      "SELECT id FROM entitlement_grants WHERE out_trade_no = ? AND entry = 'revocation' AND origin <> 'manual'",
      [outTradeNo],
    );
    return rows.length > 0;
  }

  /** The highest package among the user's grants that were not revoked. The caller holds the user's row lock. */
  async highestLivePackage(tx: Tx, userId: string): Promise<PackageType> {
    const rows = await tx.query<{ package_type: PackageType }[]>(
      `SELECT DISTINCT g.package_type
         FROM entitlement_grants g
         LEFT JOIN entitlement_grants r ON r.out_trade_no = g.out_trade_no AND r.entry = 'revocation'
        WHERE g.user_id = ? AND g.entry = 'grant' AND r.id IS NULL`,
      [userId],
    );
    const live = new Set(rows.map((row) => row.package_type));
    return (['premium', 'basic'] as const).find((packageType) => live.has(packageType)) ?? 'free';
  }

  /** @throws a duplicate-entry error when the order has such a line, or another order has the transaction */
  async append(tx: Tx, line: LedgerLine): Promise<void> {
    await tx.query(
      `INSERT INTO entitlement_grants
         (out_trade_no, entry, user_id, package_type, regenerate_delta, origin, transaction_id, reason, granted_by)
       VALUES (?, ?, ?, ?, ?, 'payment', ?, ?, ?)`,
      [
        line.outTradeNo,
        line.entry,
        line.userId,
        line.packageType,
        line.regenerateDelta,
        line.transactionId,
        line.reason,
        line.grantedBy,
      ],
    );
  }
}
