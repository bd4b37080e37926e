import { Injectable } from '@nestjs/common';
import { isDatabaseUnavailable } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { JobLeasesRepository } from '../platform/jobs/job-leases.repository.js';
import type { JobLease } from '../platform/jobs/job-leases.repository.js';
import type { JobContext } from '../platform/jobs/job-runner.js';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { ErrorLogService } from '../platform/logging/error-log.service.js';
import { isOutTradeNo } from '../shared/ids.js';
import { RefundChangesRepository } from './refund-changes.repository.js';
import type { ChangedRefund } from './refund-changes.repository.js';
import { RefundConsequencesService } from './refund-consequences.service.js';
import { ForeignRefundsService } from './foreign-refunds.service.js';
import { REFUND_SETTLEMENT } from './refund-settlement.service.js';

const PAGE_MAX = 200;
/** Bounds one tick; what is left waits for the next. */
const PAGES_PER_TICK_MAX = 10;
/** The orders of refunds lie far apart in a large table, and each is read from the disk: a hundred thousand take two hours. */
const STEP_MAX = 15;

/** Listens to the table: refunds that others wrote or changed are found there, as nobody tells of them. */
@Injectable()
export class RefundSweepService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly leases: JobLeasesRepository,
    private readonly changes: RefundChangesRepository,
    private readonly foreign: ForeignRefundsService,
    private readonly consequences: RefundConsequencesService,
    private readonly jobs: JobRunner,
    private readonly errors: ErrorLogService,
    private readonly logger: AppLogger,
  ) {}

  /** Looks at what changed within the window. One that fails is passed by, so that it holds back none behind it. */
  async sweepRecent(windowSeconds: number, { lease, stopping }: JobContext): Promise<void> {
    let after: ChangedRefund | null = null;
    for (let page = 0; page < PAGES_PER_TICK_MAX && !stopping.aborted; page += 1) {
      const changed: ChangedRefund[] = await this.changes.listRecent(this.unitOfWork.reader, {
        windowSeconds,
        after,
        limit: PAGE_MAX,
      });
      const numbers = changed.map(({ outRefundNo }) => outRefundNo);
      if (!(await this.lookAtAll(numbers, lease, stopping))) return;
      after = changed.at(-1) ?? null;
      if (changed.length < PAGE_MAX) return;
    }
  }

  /** One step of the pass over all refunds by id; its place is kept with the lease. */
  async sweepNextStep({ lease, stopping }: JobContext): Promise<void> {
    if (!lease) return;
    const { reader } = this.unitOfWork;
    const step = await this.changes.listById(reader, { afterId: lease.cursor ?? '', limit: STEP_MAX });
    const numbers = step.map(({ outRefundNo }) => outRefundNo);
    const changed = await this.changes.filterChanged(reader, numbers);
    if (!(await this.lookAtAll(changed, lease, stopping))) return;
    for (const outTradeNo of await this.changes.listOrdersToEnd(reader, numbers)) {
      if (stopping.aborted || !(await this.endOrder(outTradeNo, lease))) return;
    }
    const next = step.length < STEP_MAX ? null : (step.at(-1)?.id ?? null);
    if (next !== lease.cursor) await this.leases.saveCursor(lease, next);
  }

  /** False when the lease was lost, or the process stops. */
  private async lookAtAll(
    outRefundNos: readonly string[],
    lease: JobLease | null,
    stopping: AbortSignal,
  ): Promise<boolean> {
    for (const outRefundNo of outRefundNos) {
      const look = (tx: Tx) => this.foreign.take(tx, outRefundNo);
      if (stopping.aborted || !(await this.under(lease, { outRefundNo }, look))) return false;
    }
    if (outRefundNos.length > 0) this.jobs.wake(REFUND_SETTLEMENT);
    return true;
  }

  private endOrder(outTradeNo: string, lease: JobLease): Promise<boolean> {
    return this.under(lease, { outTradeNo }, async (tx) =>
      isOutTradeNo(outTradeNo)
        ? this.consequences.apply(tx, outTradeNo, 'system:refund-sweep')
        : 'unreadable',
    );
  }

  private async under(
    lease: JobLease | null,
    about: Record<string, string>,
    work: (tx: Tx) => Promise<string>,
  ): Promise<boolean> {
    try {
      const outcome = await this.unitOfWork.run(async (tx) => {
        if (lease && !(await this.leases.lockHeld(tx, lease))) return 'lease_lost';
        return work(tx);
      });
      if (outcome === 'lease_lost') return false;
      this.logger.info('refund.swept', { ...about, outcome });
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      this.errors.record('refund.sweep_failed', error, about);
    }
    return true;
  }
}
