import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { AppLogger } from '../logging/app-logger.js';
import { ExceptionsRepository } from './exceptions.repository.js';
import type { ExceptionRecord, ExceptionSummary } from './exceptions.types.js';

export type RaisedException = {
  /** What is wrong, for programs: one of a feature's documented kinds. */
  readonly kind: string;
  /** What it is about, usually a merchant order number. */
  readonly subject: string;
  /** What is wrong, for the operator who decides: no openid, no secret. */
  readonly reason: string;
  readonly detail?: Record<string, unknown>;
  /** More than is known already: its reason and detail take the place of the old ones, and what was dismissed opens again. */
  readonly isNews?: boolean;
};

/** What could not be applied and waits for an operator. Nothing is given up without a row here. */
@Injectable()
export class ExceptionsService {
  constructor(
    private readonly exceptions: ExceptionsRepository,
    private readonly logger: AppLogger,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /**
   * One item per kind and subject: raised again it stays, reopens when it was resolved, and stays dismissed when an operator
   * said so, unless there is news.
   */
  async raise(tx: Tx, raised: RaisedException): Promise<void> {
    const { kind, subject } = raised;
    try {
      await this.exceptions.insert(tx, raised);
      // Without the reason: it may quote what a caller wrote.
      this.logger.warned('exception.raised', { kind, subject });
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      await this.exceptions.reopen(tx, raised);
    }
  }

  /** Those of the subjects about which something is open or was dismissed; it stays so until `tx` ends. */
  async filterUnresolved(tx: Tx, subjects: readonly string[]): Promise<Set<string>> {
    return new Set(await this.exceptions.lockUnresolvedSubjects(tx, subjects));
  }

  /** Whatever became of it; null when it was never raised. */
  find(
    tx: Tx,
    kind: string,
    subject: string,
  ): Promise<Pick<ExceptionRecord, 'status' | 'reason' | 'detail'> | null> {
    return this.exceptions.find(tx, kind, subject);
  }

  /** Everything about these subjects, ended or not, the newest first. */
  async listAbout(subjects: readonly string[], limit: number): Promise<ExceptionSummary[]> {
    if (subjects.length === 0) return [];
    return this.exceptions.listAbout(this.unitOfWork.reader, subjects, limit);
  }

  /** Closes open items about `subject` whose cause is gone. */
  async resolveAll(
    tx: Tx,
    done: {
      readonly kinds: readonly string[];
      readonly subject: string;
      readonly by: string;
      readonly resolution: string;
    },
  ): Promise<number> {
    const resolved = await this.exceptions.resolveOpen(tx, done);
    if (resolved > 0)
      this.logger.info('exception.resolved', { subject: done.subject, resolution: done.resolution });
    return resolved;
  }
}
