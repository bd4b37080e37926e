import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { PageRequest } from '../shared/page.js';
import type {
  LedgerEntry,
  LedgerLine,
  LedgerOrigin,
  LedgerPosition,
  PackageType,
} from './entitlements.types.js';

export type GrantLine = {
  readonly userId: string;
  readonly packageType: PackageType;
  readonly regenerateDelta: number;
};

export type NewLine = {
  readonly outTradeNo: string;
  readonly entry: LedgerEntry;
  readonly userId: string;
  readonly packageType: PackageType;
  readonly regenerateDelta: number;
  readonly transactionId: string | null;
  readonly reason: string | null;
  readonly grantedBy: string;
  readonly origin: LedgerOrigin;
};

/** What the ledger says of an order that was asked about together with others. */
export type OrderEntry = GrantLine & { readonly outTradeNo: string; readonly entry: LedgerEntry };

type LineRow = {
  id: string;
  out_trade_no: string;
  entry: LedgerEntry;
  user_id: string;
  package_type: PackageType;
  regenerate_delta: number;
  origin: LedgerOrigin;
  reason: string | null;
  granted_by: string;
  created_at: Date;
};

const LINE_COLUMNS =
  'g.id, g.out_trade_no, g.entry, g.user_id, g.package_type, g.regenerate_delta, g.origin, g.reason, g.granted_by, g.created_at';

@Injectable()
export class EntitlementsRepository {
  async listEntries(tx: Tx, outTradeNo: string): Promise<LedgerEntry[]> {
    const rows = await tx.query<{ entry: LedgerEntry }[]>(
      'SELECT entry FROM entitlement_grants WHERE out_trade_no = ?',
      [outTradeNo],
    );
    return rows.map(({ entry }) => entry);
  }

  async listOfOrders(tx: Tx, outTradeNos: readonly string[]): Promise<OrderEntry[]> {
    const rows = await tx.query<LineRow[]>(
      'SELECT out_trade_no, entry, user_id, package_type, regenerate_delta FROM entitlement_grants WHERE out_trade_no IN (?)',
      [outTradeNos],
    );
    return rows.map((row) => ({
      outTradeNo: row.out_trade_no,
      entry: row.entry,
      userId: row.user_id,
      packageType: row.package_type,
      regenerateDelta: row.regenerate_delta,
    }));
  }

  /** Those of the transactions that an order was granted for. */
  async filterGranted(tx: Tx, transactionIds: readonly string[]): Promise<string[]> {
    if (transactionIds.length === 0) return [];
    const rows = await tx.query<{ transaction_id: string }[]>(
      'SELECT transaction_id FROM entitlement_grants WHERE transaction_id IN (?)',
      [transactionIds],
    );
    return rows.map((row) => row.transaction_id);
  }

  async findGrant(tx: Tx, outTradeNo: string): Promise<(GrantLine & { grantedBy: string }) | null> {
    const [row] = await tx.query<
      {
        user_id: string;
        package_type: GrantLine['packageType'];
        regenerate_delta: number;
        granted_by: string;
      }[]
    >(
      `SELECT user_id, package_type, regenerate_delta, granted_by FROM entitlement_grants
        WHERE out_trade_no = ? AND entry = 'grant'`,
      [outTradeNo],
    );
    if (!row) return null;
    return {
      userId: row.user_id,
      packageType: row.package_type,
      regenerateDelta: row.regenerate_delta,
      grantedBy: row.granted_by,
    };
  }

  /** True when the order was refunded, and not only its grant taken back by hand. */
  async hasRefundRevocation(tx: Tx, outTradeNo: string): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      "SELECT id FROM entitlement_grants WHERE out_trade_no = ? AND entry = 'revocation' AND origin <> 'manual'",
      [outTradeNo],
    );
    return rows.length > 0;
  }

  async findLine(tx: Tx, outTradeNo: string, entry: LedgerEntry): Promise<LedgerLine | null> {
    const [row] = await tx.query<LineRow[]>(
      `SELECT ${LINE_COLUMNS} FROM entitlement_grants g WHERE g.out_trade_no = ? AND g.entry = ?`,
      [outTradeNo, entry],
    );
    return row ? toLine(row) : null;
  }

  async listOfOrder(tx: Tx, outTradeNo: string): Promise<LedgerLine[]> {
    const rows = await tx.query<LineRow[]>(
      `SELECT ${LINE_COLUMNS} FROM entitlement_grants g WHERE g.out_trade_no = ? ORDER BY g.id`,
      [outTradeNo],
    );
    return rows.map(toLine);
  }

  /** The newest first, one more than the page holds. */
  async listOfUser(tx: Tx, userId: string, page: PageRequest<LedgerPosition>): Promise<LedgerLine[]> {
    const rows = await tx.query<LineRow[]>(
      `SELECT ${LINE_COLUMNS} FROM entitlement_grants g FORCE INDEX (idx_entitlement_grants_user)
        WHERE g.user_id = ? ${page.after ? 'AND g.id < ?' : ''} ORDER BY g.id DESC LIMIT ?`,
      [userId, ...(page.after ? [page.after.id] : []), page.limit + 1],
    );
    return rows.map(toLine);
  }

  /** The first grant of this package that was not revoked. */
  async findLiveGrant(tx: Tx, userId: string, packageType: PackageType): Promise<LedgerLine | null> {
    const [row] = await tx.query<LineRow[]>(
      `SELECT ${LINE_COLUMNS} FROM entitlement_grants g FORCE INDEX (idx_entitlement_grants_user)
         LEFT JOIN entitlement_grants r ON r.out_trade_no = g.out_trade_no AND r.entry = 'revocation'
        WHERE g.user_id = ? AND g.entry = 'grant' AND g.package_type = ? AND r.id IS NULL
        ORDER BY g.id LIMIT 1`,
      [userId, packageType],
    );
    return row ? toLine(row) : null;
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

  /** @throws a duplicate-entry error when an order has such a line, or another order has the transaction: then none is written */
  async append(tx: Tx, ...lines: readonly NewLine[]): Promise<void> {
    const rows = lines.map((line) => [
      line.outTradeNo,
      line.entry,
      line.userId,
      line.packageType,
      line.regenerateDelta,
      line.origin,
      line.transactionId,
      line.reason,
      line.grantedBy,
    ]);
    await tx.query(
      `INSERT INTO entitlement_grants
         (out_trade_no, entry, user_id, package_type, regenerate_delta, origin, transaction_id, reason, granted_by)
       VALUES ?`,
      [rows],
    );
  }
}

function toLine(row: LineRow): LedgerLine {
  return {
    id: String(row.id),
    outTradeNo: row.out_trade_no,
    entry: row.entry,
    userId: row.user_id,
    packageType: row.package_type,
    regenerateDelta: row.regenerate_delta,
    origin: row.origin,
    reason: row.reason,
    by: row.granted_by,
    at: row.created_at,
  };
}
