import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { HeldOrder } from './payments.types.js';

type Flag = string | number;
type HeldRow = { out_trade_no: string; is_settled: Flag; has_refund: Flag; is_told_refunded: Flag };

/** What can still be decided about held orders, read for those who decide. */
@Injectable()
export class HeldOrdersRepository {
  /** The paid ones among these orders; the rules are checked again, under the lock, by whoever acts. */
  async list(tx: Tx, outTradeNos: readonly string[]): Promise<Map<string, HeldOrder>> {
    if (outTradeNos.length === 0) return new Map();
    const rows = await tx.query<HeldRow[]>(
      `SELECT o.out_trade_no,
              EXISTS (SELECT 1 FROM entitlement_grants l WHERE l.out_trade_no = o.out_trade_no) AS is_settled,
              EXISTS (SELECT 1 FROM refunds f
                       WHERE f.out_trade_no = o.out_trade_no AND COALESCE(f.status, 'pending') <> 'closed') AS has_refund,
              EXISTS (SELECT 1 FROM exceptions e
                       WHERE e.kind = 'payment_held' AND e.subject = o.out_trade_no
                         AND JSON_VALUE(e.detail, '$.wechatpay.state') = 'refunded')
                AND NOT EXISTS (SELECT 1 FROM refunds c
                                 WHERE c.out_trade_no = o.out_trade_no AND c.status = 'closed') AS is_told_refunded
         FROM payment_orders o WHERE o.out_trade_no IN (?) AND o.status = 'paid'`,
      [outTradeNos],
    );
    return new Map(
      rows.map((row) => [
        row.out_trade_no,
        {
          canGrant: [row.is_settled, row.has_refund, row.is_told_refunded].every(
            (flag) => Number(flag) === 0,
          ),
          canRefund: true,
        },
      ]),
    );
  }
}
