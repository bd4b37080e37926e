import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../database/database-error.js';
import type { Tx } from '../database/unit-of-work.js';
import { OutboxRepository } from './outbox.repository.js';

export type OutboxNotice = {
  readonly topic: string;
  /** One notice per key for ever. */
  readonly key: string;
  /** Ids and amounts; never an openid. */
  readonly payload: Record<string, unknown>;
};

/** Notices to the outside are staged in the transaction of the fact they tell, and sent later. */
@Injectable()
export class OutboxService {
  constructor(private readonly outbox: OutboxRepository) {}

  /** Staging the same key again changes nothing. */
  async stage(tx: Tx, notice: OutboxNotice): Promise<void> {
    try {
      await this.outbox.insert(tx, notice);
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
    }
  }
}
