import { Injectable } from '@nestjs/common';
import type { Tx } from '../database/unit-of-work.js';

export type QuarantinedMessage = {
  readonly id: string;
  readonly status: 'pending' | 'handled' | 'quarantined';
};

/** Messages that could not be applied, as those see them who have them tried again. */
@Injectable()
export class QuarantineRepository {
  /** The messages behind an exception, locked: the one it names, and all of the order that are aside for the same reason. */
  async lock(
    tx: Tx,
    behind: { outTradeNo: string; kind: string; messageId: string | null },
  ): Promise<QuarantinedMessage[]> {
    return tx.query<QuarantinedMessage[]>(
      `SELECT id, status FROM inbox_messages
        WHERE out_trade_no = ? AND (id = ? OR (outcome = ? AND status <> 'handled')) ORDER BY id FOR UPDATE`,
      [behind.outTradeNo, behind.messageId, behind.kind],
    );
  }

  /** Due now, with all the tries of a new one. */
  async release(tx: Tx, ids: readonly string[]): Promise<void> {
    await tx.query(
      `UPDATE inbox_messages SET status = 'pending', attempts = 0, available_at = NOW(3)
        WHERE id IN (?) AND status IN ('pending', 'quarantined')`,
      [ids],
    );
  }

  /** All messages of the order that are aside for one of these reasons, as {@link release} does it. */
  async retry(tx: Tx, outTradeNo: string, kinds: readonly string[]): Promise<void> {
    const rows = await tx.query<{ id: string }[]>(
      `SELECT id FROM inbox_messages FORCE INDEX (idx_inbox_messages_out_trade_no)
        WHERE out_trade_no = ? AND status = 'quarantined' AND outcome IN (?)`,
      [outTradeNo, kinds],
    );
    if (rows.length === 0) return;
    await this.release(
      tx,
      rows.map(({ id }) => id),
    );
  }

  /** True when another message of the order is aside for this reason. */
  async hasOther(tx: Tx, than: { id: string; outTradeNo: string; kind: string }): Promise<boolean> {
    const rows = await tx.query<unknown[]>(
      "SELECT id FROM inbox_messages WHERE out_trade_no = ? AND outcome = ? AND status <> 'handled' AND id <> ? LIMIT 1",
      [than.outTradeNo, than.kind, than.id],
    );
    return rows.length > 0;
  }
}
