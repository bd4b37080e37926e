import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

@Injectable()
export class PaymentLogsRepository {
  /** @throws a duplicate-entry error when the line is there */
  async insert(
    tx: Tx,
    line: {
      id: string;
      type: string;
      eventType: string;
      outTradeNo: string;
      outRefundNo: string | null;
      amountFen: number;
      request: unknown;
    },
  ): Promise<void> {
    await tx.query(
      `INSERT INTO payment_logs (id, type, out_trade_no, out_refund_no, event_type, amount_total, request_data)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [
        line.id,
        line.type,
        line.outTradeNo,
        line.outRefundNo,
        line.eventType,
        line.amountFen,
        JSON.stringify(line.request),
      ],
    );
  }
}
