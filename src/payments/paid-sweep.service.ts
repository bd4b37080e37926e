import { Injectable } from '@nestjs/common';
import {
  isDatabaseUnavailable,
  isLockWaitTimeout,
  isRetryableTransaction,
} from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { ExceptionsService } from '../platform/exceptions/exceptions.service.js';
import { JobLeasesRepository } from '../platform/jobs/job-leases.repository.js';
import type { JobLease } from '../platform/jobs/job-leases.repository.js';
import type { JobContext } from '../platform/jobs/job-runner.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { ErrorLogService } from '../platform/logging/error-log.service.js';
import { scrubError } from '../platform/logging/scrub.js';
import { Clock } from '../shared/clock.js';
import { isOutTradeNo } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import type { PaidOrderKey } from './payment-orders.repository.js';
import { PaymentsService } from './payments.service.js';
import type { PaidClaim, PaidOutcome } from './payments.types.js';
import { UsualPaymentsService } from './usual-payments.service.js';

const PAGE_MAX = 200;
/** Bounds one tick; what is left waits a second. */
const PAGES_PER_TICK_MAX = 25;
/** One alone takes one transaction either way, and in its own it is settled whatever it is like. */
const TOGETHER_MIN = 2;
/** A million paid orders are passed over in little more than two hours, for less than five milliseconds each second. */
const STEP_MAX = 120;

/** Looks at paid orders in the table and settles those that are not. */
@Injectable()
export class PaidSweepService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly leases: JobLeasesRepository,
    private readonly orders: PaymentOrdersRepository,
    private readonly payments: PaymentsService,
    private readonly usual: UsualPaymentsService,
    private readonly exceptions: ExceptionsService,
    private readonly errors: ErrorLogService,
    private readonly logger: AppLogger,
    private readonly clock: Clock,
  ) {}

  /** Settles what changed within the window. An order that fails is passed by, so that it holds back none behind it. */
  async sweepRecent(windowSeconds: number, { lease, stopping }: JobContext): Promise<void> {
    let after: PaidOrderKey | null = null;
    for (let page = 0; page < PAGES_PER_TICK_MAX && !stopping.aborted; page += 1) {
      const keys: PaidOrderKey[] = await this.orders.listUnsettledRecent(this.unitOfWork.reader, {
        windowSeconds,
        after,
        limit: PAGE_MAX,
      });
      const numbers = keys.map(({ outTradeNo }) => outTradeNo);
      if (!(await this.settleAll(numbers, { lease, stopping }))) return;
      after = keys.at(-1) ?? null;
      if (keys.length < PAGE_MAX) return;
    }
  }

  /** One step of the pass over all paid orders by id; its place is kept with the lease, across restarts and replicas. */
  async sweepNextStep({ lease, stopping }: JobContext): Promise<void> {
    if (!lease) return;
    const page = { afterId: lease.cursor ?? '', limit: STEP_MAX };
    const step = await this.orders.listPaidById(this.unitOfWork.reader, page);
    const unsettled = step.flatMap(({ outTradeNo, isSettled }) => (isSettled ? [] : [outTradeNo]));
    for (let first = 0; first < unsettled.length; first += PAGE_MAX) {
      const numbers = unsettled.slice(first, first + PAGE_MAX);
      if (!(await this.settleAll(numbers, { lease, stopping }))) return;
    }
    const next = step.length < STEP_MAX ? null : (step.at(-1)?.id ?? null);
    if (next !== lease.cursor) await this.leases.saveCursor(lease, next);
  }

  /** Usual orders together, and every other one alone. False when the process stops, or the lease was lost: another replica sweeps now. */
  private async settleAll(outTradeNos: readonly string[], { lease, stopping }: JobContext): Promise<boolean> {
    const others = await this.settleTogether(outTradeNos, lease);
    if (!others) return false;
    for (const outTradeNo of others) {
      if (stopping.aborted || !(await this.settle(outTradeNo, lease))) return false;
    }
    return !stopping.aborted;
  }

  /** Which orders are left for a transaction of their own; null when the lease was lost. */
  private async settleTogether(
    outTradeNos: readonly string[],
    lease: JobLease | null,
  ): Promise<readonly string[] | null> {
    const claims = outTradeNos.filter(isOutTradeNo).map((outTradeNo) => this.claim(outTradeNo));
    if (claims.length < TOGETHER_MIN) return outTradeNos;
    try {
      const outcomes = await this.unitOfWork.run(async (tx) =>
        lease && !(await this.leases.lockHeld(tx, lease)) ? null : this.usual.recordTogether(tx, claims),
      );
      if (!outcomes) return null;
      const settled = new Set<string>([...outcomes.keys()].map(({ outTradeNo }) => outTradeNo));
      if (settled.size > 0) this.logger.info('payment.swept_together', { orders: settled.size });
      return outTradeNos.filter((outTradeNo) => !settled.has(outTradeNo));
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      // Which of them it was shows when each goes alone.
      const { code, message } = scrubError(error);
      this.logger.warned('payment.sweep_together_failed', { orders: claims.length, code, reason: message });
      return outTradeNos;
    }
  }

  /** The table's own word. */
  private claim(outTradeNo: OutTradeNo): PaidClaim {
    return {
      outTradeNo,
      source: 'sweep',
      evidence: null,
      transactionId: null,
      openid: null,
      generationId: null,
      seenAt: this.clock.now(),
    };
  }

  /** False when the lease was lost. */
  private async settle(outTradeNo: string, lease: JobLease | null): Promise<boolean> {
    try {
      const outcome = await this.unitOfWork.run(
        async (tx): Promise<PaidOutcome | 'lease_lost' | 'unreadable' | 'busy'> => {
          if (lease && !(await this.leases.lockHeld(tx, lease))) return 'lease_lost';
          if (!isOutTradeNo(outTradeNo)) {
            await this.exceptions.raise(tx, {
              kind: 'payment_held',
              subject: outTradeNo,
              reason: 'A paid row has a merchant number that WeChat Pay would not accept.',
            });
            return 'unreadable';
          }
          if (!(await this.orders.lockIfFree(tx, outTradeNo))) return 'busy';
          return this.payments.recordPaid(tx, this.claim(outTradeNo));
        },
      );
      if (outcome === 'lease_lost') return false;
      this.logger.info('payment.swept', { outTradeNo, outcome });
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      this.errors.record('payment.sweep_failed', error, { outTradeNo });
      // Somebody has the user's row at this moment: the order comes up again in the next tick.
      if (!isLockWaitTimeout(error) && !isRetryableTransaction(error)) await this.report(outTradeNo, error);
    }
    return true;
  }

  /** An order that cannot be settled is passed by for ever: an operator must know. */
  private async report(outTradeNo: string, error: unknown): Promise<void> {
    await this.unitOfWork.run((tx) =>
      this.exceptions.raise(tx, {
        kind: 'settling_failed',
        subject: outTradeNo,
        reason: `A paid order could not be settled: ${scrubError(error).message}`,
      }),
    );
  }
}
