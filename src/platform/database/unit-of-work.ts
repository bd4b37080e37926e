import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import type { EntityManager, QueryRunner } from 'typeorm';
import { databaseUnavailable, isRetryableTransaction } from './database-error.js';

/** An open transaction. Repositories and services take it first; nothing else writes. */
export type Tx = EntityManager;

/** Deadlocks end by chance; five tries with growing pauses have not been seen to fail under any fair load. */
const TRIES_MAX = 5;
const RETRY_PAUSE_MS = 15;

@Injectable()
export class UnitOfWork {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Runs `work` in one READ COMMITTED transaction, again from the start after a deadlock: `work` must not act on
   * anything but `tx`. A lock wait that timed out is thrown: whoever holds the row will hold it a while, and the
   * caller's own schedule tries again.
   * @throws DomainError `database_unavailable` before the first connection; driver errors otherwise.
   * After an error at COMMIT the outcome is unknown: the caller drives the same key again.
   */
  async run<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.runOnce(work);
      } catch (error) {
        if (tries >= TRIES_MAX || !isRetryableTransaction(error)) throw error;
        await sleep(RETRY_PAUSE_MS * 2 ** tries * (0.5 + Math.random()));
      }
    }
  }

  /** Reads outside any transaction; each statement sees what is committed. */
  get reader(): Tx {
    if (!this.dataSource.isInitialized) throw databaseUnavailable();
    return this.dataSource.manager;
  }

  private async runOnce<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    if (!this.dataSource.isInitialized) throw databaseUnavailable();
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const result = await work(runner.manager);
      await runner.commitTransaction();
      return result;
    } catch (error) {
      // A lock wait timeout undoes one statement only, so every error ends in ROLLBACK.
      await rollBackOrCut(runner);
      throw error;
    } finally {
      await runner.release();
    }
  }
}

/** A connection whose transaction may still be open must never go back to the pool. */
async function rollBackOrCut(runner: QueryRunner): Promise<void> {
  try {
    await runner.rollbackTransaction();
  } catch {
    const connection = (await runner.connect().catch(() => undefined)) as
      { destroy?: () => void } | undefined;
    connection?.destroy?.();
  }
}
