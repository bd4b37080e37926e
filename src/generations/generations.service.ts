import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { isId } from '../shared/ids.js';
import { GenerationsRepository } from './generations.repository.js';

/** What an order unlocks, if its generation is one. */
export type PaidUnlock = {
  readonly generationId: string | null;
  readonly userId: string;
  readonly packageType: 'basic' | 'premium';
  readonly orderId: string;
};

@Injectable()
export class GenerationsService {
  constructor(private readonly generations: GenerationsRepository) {}

  /**
   * Unlocks the generations that orders paid for, none of them twice. Callers often write the user's id in place of a
   * generation's, which matches no row; another user's generation is never touched.
   */
  async unlockForOrders(tx: Tx, ...paid: readonly PaidUnlock[]): Promise<void> {
    for (const [packageType, of] of Map.groupBy(paid, (unlock) => unlock.packageType)) {
      const generations = of.flatMap(({ generationId: id, userId, orderId }) =>
        isId(id) && id !== userId ? [{ id, userId, orderId }] : [],
      );
      if (generations.length > 0) await this.generations.unlock(tx, packageType, generations);
    }
  }
}
