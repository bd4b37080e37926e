import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { PaymentLogEntry, PaymentLogLine } from './orders.types.js';

@Injectable()
export class PaymentLogsRepository {
  /** @throws a duplicate-entry error when one of the lines is there; none is inserted then */
  async insert(tx: Tx, lines: readonly PaymentLogLine[]): Promise<void> {
    const rows = lines.map((line) => [
      line.id,
      line.type,
      line.outTradeNo,
      line.outRefundNo,
      line.eventType,
      line.amountFen,
      JSON.stringify(line.request),
    ]);
    await tx.query(
      `INSERT INTO payment_logs (id, type, out_trade_no, out_refund_no, event_type, amount_total, request_data)
       VALUES ?`,
      [rows],
    );
  }

  /**
   * What is noted about an order, the newest first; what was said stays in the table, where callers write openids.
   * The first expression keeps the server from reading the index on the time, which holds everybody's lines.
   */
  async listOfOrder(tx: Tx, outTradeNo: string, limit: number): Promise<PaymentLogEntry[]> {
    type Row = {
      type: string;
      event_type: string | null;
      out_refund_no: string | null;
      amount_total: number | null;
      created_at: Date | null;
    };
    const rows = await tx.query<Row[]>(
      `SELECT type, event_type, out_refund_no, amount_total, created_at FROM payment_logs
        WHERE out_trade_no = ? ORDER BY created_at IS NULL, created_at DESC, id DESC LIMIT ?`,
      [outTradeNo, limit],
    );
    return rows.map((row) => ({
      at: row.created_at,
      type: row.type,
      eventType: row.event_type,
      outRefundNo: row.out_refund_no,
      amountFen: row.amount_total,
    }));
  }
}
