import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { JobContext } from '../platform/jobs/job-runner.js';
import { JobLeasesRepository } from '../platform/jobs/job-leases.repository.js';
import { Clock } from '../shared/clock.js';
import { OrderQueriesRepository } from './order-queries.repository.js';
import { PendingOrdersRepository } from './pending-orders.repository.js';
import type { PendingOrder } from './pending-orders.repository.js';
import { pauseUntilFirstAskMs } from './query-schedule.js';

const PAGE_MAX = 200;
/** A backlog of old orders is spread out: it must not stand before the orders of today. */
const STEP_MAX = 20;

/** Finds pending orders in the table and has WeChat Pay asked about each, at growing intervals. */
@Injectable()
export class PendingOrdersService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly leases: JobLeasesRepository,
    private readonly orders: PendingOrdersRepository,
    private readonly queries: OrderQueriesRepository,
    private readonly clock: Clock,
  ) {}

  /** Those that changed within the window. */
  async discoverRecent(windowSeconds: number): Promise<void> {
    const { reader } = this.unitOfWork;
    await this.plan(await this.orders.listUnaskedRecent(reader, { windowSeconds, limit: PAGE_MAX }));
  }

  /** One step of the pass over all pending orders, those of long ago included. */
  async discoverNextStep({ lease }: JobContext): Promise<void> {
    if (!lease) return;
    const page = { afterId: lease.cursor ?? '', limit: STEP_MAX };
    const step = await this.orders.listPendingById(this.unitOfWork.reader, page);
    await this.plan(step.filter(({ isAsked }) => !isAsked));
    const next = step.length < STEP_MAX ? null : (step.at(-1)?.id ?? null);
    if (next !== lease.cursor) await this.leases.saveCursor(lease, next);
  }

  private async plan(orders: readonly PendingOrder[]): Promise<void> {
    const nowMs = this.clock.nowMs();
    for (const { outTradeNo, createdAt } of orders) {
      const ageMs = Math.max(0, nowMs - (createdAt?.getTime() ?? nowMs));
      await this.queries.planOnce(this.unitOfWork.reader, outTradeNo, pauseUntilFirstAskMs(ageMs));
    }
  }
}
