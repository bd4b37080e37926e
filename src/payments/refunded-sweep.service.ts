import { Injectable } from '@nestjs/common';
import { isDatabaseUnavailable } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { JobLeasesRepository } from '../platform/jobs/job-leases.repository.js';
import type { JobLease } from '../platform/jobs/job-leases.repository.js';
import type { JobContext } from '../platform/jobs/job-runner.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { ErrorLogService } from '../platform/logging/error-log.service.js';
import { isOutTradeNo } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { PaymentsService } from './payments.service.js';
import { RefundedOrdersRepository } from './refunded-orders.repository.js';

const PAGE_MAX = 200;
/** Refunded orders lie far apart in a large table, and each is read from the disk: a hundred thousand take an hour. */
const STEP_MAX = 30;

/**
 * A function may set an order to refunded while its row in `refunds` was refused by the table. WeChat Pay is asked; where that
 * is not possible the order's word counts, and what it gave is taken back. An operator sees that no refund of it is known.
 */
@Injectable()
export class RefundedSweepService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly leases: JobLeasesRepository,
    private readonly orders: RefundedOrdersRepository,
    private readonly payments: PaymentsService,
    private readonly exceptions: ExceptionsService,
    private readonly errors: ErrorLogService,
    private readonly logger: AppLogger,
  ) {}

  async sweepRecent(windowSeconds: number, { lease, stopping }: JobContext): Promise<void> {
    const page = { windowSeconds, limit: PAGE_MAX };
    await this.revokeAll(
      await this.orders.listUnrevokedRecent(this.unitOfWork.reader, page),
      lease,
      stopping,
    );
  }

  /** One step of the pass over all refunded orders by id; its place is kept with the lease. */
  async sweepNextStep({ lease, stopping }: JobContext): Promise<void> {
    if (!lease) return;
    const page = { afterId: lease.cursor ?? '', limit: STEP_MAX };
    const step = await this.orders.readStep(this.unitOfWork.reader, page);
    if (!(await this.revokeAll(step.unrevoked, lease, stopping))) return;
    const next = step.length < STEP_MAX ? null : step.lastId;
    if (next !== lease.cursor) await this.leases.saveCursor(lease, next);
  }

  /** False when the lease was lost, or the process stops. */
  private async revokeAll(
    outTradeNos: readonly string[],
    lease: JobLease | null,
    stopping: AbortSignal,
  ): Promise<boolean> {
    for (const outTradeNo of outTradeNos.filter(isOutTradeNo)) {
      if (stopping.aborted || !(await this.revoke(outTradeNo, lease))) return false;
    }
    return true;
  }

  private async revoke(outTradeNo: OutTradeNo, lease: JobLease | null): Promise<boolean> {
    try {
      const isHeld = await this.unitOfWork.run(async (tx) => {
        if (lease && !(await this.leases.lockHeld(tx, lease))) return false;
        const by = 'system:refunded-sweep';
        // Where WeChat Pay can be asked its answer decides, through recordPaid.
        if (await this.payments.askSoon(tx, outTradeNo)) return true;
        if (!(await this.payments.recordRefunded(tx, { outTradeNo, reason: null, by }))) return true;
        await this.exceptions.raise(tx, {
          kind: 'refund_unseen',
          subject: outTradeNo,
          reason:
            'The table calls this order refunded, and no refund of it is known here; what it gave was taken back.',
        });
        this.logger.info('order.refund_followed', { outTradeNo });
        return true;
      });
      return isHeld;
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      this.errors.record('order.refund_not_followed', error, { outTradeNo });
      return true;
    }
  }
}
