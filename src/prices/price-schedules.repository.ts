import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { PageRequest } from '../shared/page.js';
import type { PricedPackage } from './price-history.js';
import type { PricePosition, PriceRecord } from './price-schedules.types.js';

type PriceRow = {
  id: string;
  package_type: PricedPackage;
  amount_fen: number;
  effective_at: Date;
  author: string;
  note: string | null;
  created_at: Date;
  cancelled_at: Date | null;
  cancelled_by: string | null;
};

const COLUMNS =
  'id, package_type, amount_fen, effective_at, author, note, created_at, cancelled_at, cancelled_by';

@Injectable()
export class PriceSchedulesRepository {
  /** @throws a duplicate-entry error when a price that is not cancelled begins for the package at that instant */
  async insert(tx: Tx, price: Omit<PriceRecord, 'id' | 'cancelledAt' | 'cancelledBy'>): Promise<string> {
    const { packageType, amountFen, effectiveAt, author, note, createdAt } = price;
    const { insertId } = await tx.query<{ insertId: number | string }>(
      `INSERT INTO price_configs (package_type, amount_fen, effective_at, scheduled_for, author, note, created_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [packageType, amountFen, effectiveAt, effectiveAt, author, note, createdAt],
    );
    return String(insertId);
  }

  /** The price that is to begin, or began, for the package at that instant; a cancelled one is none. */
  async findAt(tx: Tx, packageType: PricedPackage, at: Date): Promise<PriceRecord | null> {
    const [row] = await tx.query<PriceRow[]>(
      `SELECT ${COLUMNS} FROM price_configs WHERE package_type = ? AND scheduled_for = ?`,
      [packageType, at],
    );
    return row ? toRecord(row) : null;
  }

  async lockById(tx: Tx, id: string): Promise<PriceRecord | null> {
    const [row] = await tx.query<PriceRow[]>(`SELECT ${COLUMNS} FROM price_configs WHERE id = ? FOR UPDATE`, [
      id,
    ]);
    return row ? toRecord(row) : null;
  }

  async cancel(tx: Tx, id: string, by: { readonly name: string; readonly at: Date }): Promise<void> {
    await tx.query(
      `UPDATE price_configs SET cancelled_at = ?, cancelled_by = ?, scheduled_for = NULL
        WHERE id = ? AND cancelled_at IS NULL AND effective_at > ?`,
      [by.at, by.name, id, by.at],
    );
  }

  /** The latest beginning first, one more than the page holds. */
  async list(
    tx: Tx,
    packageType: PricedPackage | null,
    page: PageRequest<PricePosition>,
  ): Promise<PriceRecord[]> {
    const at = page.after ? new Date(page.after.effectiveAt) : null;
    const rows = await tx.query<PriceRow[]>(
      `SELECT ${COLUMNS} FROM price_configs
        WHERE (? IS NULL OR package_type = ?)
          AND (? IS NULL OR effective_at < ? OR (effective_at = ? AND id < ?))
        ORDER BY effective_at DESC, id DESC LIMIT ?`,
      [packageType, packageType, at, at, at, page.after?.id ?? null, page.limit + 1],
    );
    return rows.map(toRecord);
  }
}

function toRecord(row: PriceRow): PriceRecord {
  return {
    id: String(row.id),
    packageType: row.package_type,
    amountFen: row.amount_fen,
    effectiveAt: row.effective_at,
    author: row.author,
    note: row.note,
    createdAt: row.created_at,
    cancelledAt: row.cancelled_at,
    cancelledBy: row.cancelled_by,
  };
}
