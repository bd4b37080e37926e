import { Injectable } from '@nestjs/common';
import { OrderQueriesService } from '../payments/order-queries.service.js';
import { ExceptionItemsService } from '../platform/exceptions/exception-items.service.js';
import { HealthService } from '../platform/health/health.service.js';
import type { ReadinessReport } from '../platform/health/health.types.js';
import { InboxRepository } from '../platform/inbox/inbox.repository.js';
import type { InboxBacklog } from '../platform/inbox/inbox.repository.js';
import { OutboxListService } from '../platform/outbox/outbox-list.service.js';
import type { OutboxBacklog } from '../platform/outbox/outbox.types.js';
import type { RefundBacklog } from '../refunds/refunds.types.js';
import { RefundsService } from '../refunds/refunds.service.js';

export type Backlog = {
  readonly inbox: InboxBacklog;
  readonly spool: ReadinessReport['spool'];
  readonly outbox: readonly OutboxBacklog[];
  readonly refunds: RefundBacklog;
  readonly orderQueries: { readonly due: number; readonly oldestDueSeconds: number };
  readonly exceptions: readonly { readonly kind: string; readonly count: number }[];
};

/** All that waits anywhere. Every count has a limit, so the cost does not grow with the tables. */
@Injectable()
export class BacklogService {
  constructor(
    private readonly inbox: InboxRepository,
    private readonly health: HealthService,
    private readonly outbox: OutboxListService,
    private readonly refunds: RefundsService,
    private readonly queries: OrderQueriesService,
    private readonly exceptions: ExceptionItemsService,
  ) {}

  async read(): Promise<Backlog> {
    return {
      inbox: await this.inbox.backlog(),
      spool: await this.health.lookAtSpool(),
      outbox: await this.outbox.backlog(),
      refunds: await this.refunds.backlog(),
      orderQueries: await this.queries.backlog(),
      exceptions: await this.exceptions.countOpen(),
    };
  }
}
