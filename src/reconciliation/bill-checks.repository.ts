import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

@Injectable()
export class BillChecksRepository {
  /** Which of these days were read already. */
  async listChecked(tx: Tx, billType: string, billDates: readonly string[]): Promise<Set<string>> {
    const rows = await tx.query<{ day: string }[]>(
      "SELECT DATE_FORMAT(bill_date, '%Y-%m-%d') AS day FROM bill_checks WHERE bill_type = ? AND bill_date IN (?)",
      [billType, billDates],
    );
    return new Set(rows.map(({ day }) => day));
  }

  /** @throws a duplicate-entry error when another replica was faster */
  async insert(
    tx: Tx,
    check: { billDate: string; billType: string; rowCount: number; newCount: number },
  ): Promise<void> {
    await tx.query(
      'INSERT INTO bill_checks (bill_date, bill_type, row_count, new_count) VALUES (?, ?, ?, ?)',
      [check.billDate, check.billType, check.rowCount, check.newCount],
    );
  }
}
