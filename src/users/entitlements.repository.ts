import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

export type LedgerEntry = 'grant' | 'revocation';

export type LedgerLine = {
  readonly outTradeNo: string;
  readonly entry: LedgerEntry;
  readonly userId: string;
  readonly packageType: 'free' | 'basic' | 'premium';
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

  async findGrant(tx: Tx, outTradeNo: string): Promise<{ userId: string; packageType: string } | null> {
    const [row] = await tx.query<{ user_id: string; package_type: string }[]>(
      "SELECT user_id, package_type FROM entitlement_grants WHERE out_trade_no = ? AND entry = 'grant'",
      [outTradeNo],
    );
    return row ? { userId: row.user_id, packageType: row.package_type } : null;
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
