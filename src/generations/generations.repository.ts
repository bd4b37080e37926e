import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

@Injectable()
export class GenerationsRepository {
  /** True when the row changed: it is the user's, and was locked or unlocked for less. */
  async unlock(
    tx: Tx,
    generation: { id: string; userId: string; packageType: 'basic' | 'premium'; orderId: string },
  ): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE generation_history
          SET package_type = ?, unlocked_at = COALESCE(unlocked_at, NOW()), unlocked_by_order_id = ?
        WHERE id = ? AND user_id = ? AND (package_type IS NULL OR (package_type = 'basic' AND ? = 'premium'))`,
      [generation.packageType, generation.orderId, generation.id, generation.userId, generation.packageType],
    );
    return result.affectedRows === 1;
  }
}
