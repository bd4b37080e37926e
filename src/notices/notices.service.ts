import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { deliveryJobOf } from '../platform/outbox/outbox-delivery.service.js';
import { OutboxService } from '../platform/outbox/outbox.service.js';
import type { Actor } from '../shared/actor.js';

/** What an operator does about notices. */
@Injectable()
export class NoticesService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: OutboxService,
    private readonly jobs: JobRunner,
  ) {}

  /**
   * Sends a notice that failed, or was sent, again: due now, with 24 hours of its own. The receiver sees the same id. A
   * second call while it is due changes nothing and says so.
   * @throws DomainError `notice_unknown`, `notice_not_resendable`
   */
  async resend(outboxId: string, by: Actor): Promise<'reopened' | 'due_already'> {
    const { channel, outcome } = await this.unitOfWork.run((tx) => this.outbox.reopen(tx, outboxId, by));
    this.jobs.wake(deliveryJobOf(channel));
    return outcome;
  }
}
