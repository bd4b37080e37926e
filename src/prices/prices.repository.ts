import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { Money } from '../shared/money.js';
import type { PricedPackage, PricePoint } from './price-history.js';

type PriceRow = {
  id: string;
  package_type: PricedPackage;
  amount_fen: number;
  effective_at: Date;
  created_at: Date;
};

@Injectable()
export class PricesRepository {
  /** The whole history without the prices that were withdrawn before they came into force. A shop has dozens of them. */
  async listHistory(tx: Tx): Promise<PricePoint[]> {
    const rows = await tx.query<PriceRow[]>(
      'SELECT id, package_type, amount_fen, effective_at, created_at FROM price_configs WHERE cancelled_at IS NULL OR cancelled_at > effective_at',
    );
    return rows.map((row) => ({
      id: Number(row.id),
      packageType: row.package_type,
      amount: Money.ofFen(row.amount_fen),
      effectiveAt: row.effective_at,
      createdAt: row.created_at,
    }));
  }
}
