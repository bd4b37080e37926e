import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

/** What operators write on an order of the shared table, and the only thing they write there directly. */
@Injectable()
export class OrderRemarksRepository {
  async lock(
    tx: Tx,
    outTradeNo: string,
  ): Promise<{ id: string; outTradeNo: string; remark: string | null } | null> {
    const [row] = await tx.query<{ id: string; out_trade_no: string; remark: string | null }[]>(
      'SELECT id, out_trade_no, remark FROM payment_orders WHERE out_trade_no = ? FOR UPDATE',
      [outTradeNo],
    );
    return row ? { id: row.id, outTradeNo: row.out_trade_no, remark: row.remark || null } : null;
  }

  async change(tx: Tx, id: string, remark: string | null): Promise<void> {
    await tx.query('UPDATE payment_orders SET remark = ? WHERE id = ?', [remark, id]);
  }
}
