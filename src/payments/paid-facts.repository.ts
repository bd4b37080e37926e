import { Injectable } from '@nestjs/common';
import { foldText } from '../platform/database/collation.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { OutTradeNo } from '../shared/ids.js';
import { ORDER_COLUMNS, toRecord } from './order-record.js';
import type { OrderRecord, OrderRow } from './order-record.js';

/** What is read about many orders at once, before their payments are recorded together. */
@Injectable()
export class PaidFactsRepository {
  /**
   * Those of the orders that nobody holds, locked, and those of which there is no row. Nothing is waited for, so that whoever
   * holds some of them, and waits for others that are held here, goes on.
   */
  async lockFree(
    tx: Tx,
    outTradeNos: readonly OutTradeNo[],
  ): Promise<{ free: OrderRecord[]; unknown: OutTradeNo[] }> {
    const found = await tx.query<Pick<OrderRow, 'id' | 'out_trade_no'>[]>(
      'SELECT id, out_trade_no FROM payment_orders WHERE out_trade_no IN (?)',
      [outTradeNos],
    );
    const known = new Set(found.map((row) => foldText(row.out_trade_no)));
    const unknown = outTradeNos.filter((outTradeNo) => !known.has(foldText(outTradeNo)));
    if (found.length === 0) return { free: [], unknown };
    // By the key of the table, whose name is the same everywhere: without the hint a small one is read, and locked, from end to end.
    const rows = await tx.query<OrderRow[]>(
      `SELECT ${ORDER_COLUMNS} FROM payment_orders FORCE INDEX (PRIMARY) WHERE id IN (?) FOR UPDATE SKIP LOCKED`,
      [found.map(({ id }) => id)],
    );
    return { free: rows.map((row) => toRecord(row, row.out_trade_no as OutTradeNo)), unknown };
  }

  /** The orders that carry one of these transactions. */
  async listCarriers(
    tx: Tx,
    transactionIds: readonly string[],
  ): Promise<{ transactionId: string; outTradeNo: string }[]> {
    if (transactionIds.length === 0) return [];
    const rows = await tx.query<{ transaction_id: string; out_trade_no: string }[]>(
      'SELECT transaction_id, out_trade_no FROM payment_orders WHERE transaction_id IN (?)',
      [transactionIds],
    );
    return rows.map((row) => ({ transactionId: row.transaction_id, outTradeNo: row.out_trade_no }));
  }

  /** Those of the orders that have a refund in whatever state. */
  async listRefunded(tx: Tx, outTradeNos: readonly string[]): Promise<string[]> {
    const rows = await tx.query<{ out_trade_no: string }[]>(
      'SELECT DISTINCT out_trade_no FROM refunds WHERE out_trade_no IN (?)',
      [outTradeNos],
    );
    return rows.map((row) => row.out_trade_no);
  }
}
