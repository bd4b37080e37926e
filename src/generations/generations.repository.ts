import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { valueByKey } from '../platform/database/value-by-key.js';

/** A generation, the user who must have it, and the order that paid for it. */
export type PaidGeneration = { readonly id: string; readonly userId: string; readonly orderId: string };

@Injectable()
export class GenerationsRepository {
  /** Changes those that are their user's, and are locked or unlocked for less. */
  async unlock(tx: Tx, packageType: 'basic' | 'premium', paid: readonly PaidGeneration[]): Promise<void> {
    const user = valueByKey(
      'id',
      paid.map(({ id, userId }) => [id, userId]),
    );
    const order = valueByKey(
      'id',
      paid.map(({ id, orderId }) => [id, orderId]),
    );
    await tx.query(
      `UPDATE generation_history
          SET package_type = ?, unlocked_at = COALESCE(unlocked_at, NOW()), unlocked_by_order_id = ${order.sql}
        WHERE id IN (?) AND user_id = ${user.sql}
          AND (package_type IS NULL OR (package_type = 'basic' AND ? = 'premium'))`,
      [packageType, ...order.values, paid.map(({ id }) => id), ...user.values, packageType],
    );
  }
}
