import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import { isId } from '../shared/ids.js';
import { GenerationsRepository } from './generations.repository.js';

@Injectable()
export class GenerationsService {
  constructor(private readonly generations: GenerationsRepository) {}

  /**
   * Unlocks the generation an order paid for. Callers often write the user's id in place of a generation's,
   * which matches no row; another user's generation is never touched.
   */
  async unlockForOrder(
    tx: Tx,
    paid: { generationId: string | null; userId: string; packageType: 'basic' | 'premium'; orderId: string },
  ): Promise<boolean> {
    const { generationId, ...rest } = paid;
    if (!isId(generationId) || generationId === paid.userId) return false;
    return this.generations.unlock(tx, { id: generationId, ...rest });
  }
}
