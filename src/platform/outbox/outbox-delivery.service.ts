import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { isDatabaseUnavailable } from '../database/database-error.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { ExceptionsService } from '../exceptions/exceptions.service.js';
import { JobRunner } from '../jobs/job-runner.js';
import { AppLogger } from '../logging/app-logger.js';
import { ErrorLogService } from '../logging/error-log.service.js';
import { pauseUntilNextTryMs } from './delivery-schedule.js';
import { NOTICE_UNDELIVERABLE, noticeSubject } from './notice-exceptions.js';
import { OutboxChannels } from './outbox-channels.js';
import { OutboxRepository } from './outbox.repository.js';
import type { ClaimedDelivery } from './outbox.repository.js';
import type { DeliveryOutcome, OutboxChannel } from './outbox.types.js';

/** Deliveries of other replicas and postponed ones are found this often; our own wake the job at once. */
const EVERY_MS = 1_000;
/** Deliveries of one channel at a time, each in a lane of its own: one that hangs holds back no other, and no other channel. */
const LANES = 4;
/** The whole of one delivery: a stop of the process, which has ten seconds, waits for it. */
const DELIVERY_DEADLINE_MS = 8_000;
/** A delivery whose sender died is made again after this: well after the deadline and the settling that follows it. */
const CLAIM_LEASE_MS = 30_000;

type Settled = 'sent' | 'unwanted' | 'failed' | 'postponed' | 'lost';

export function deliveryJobOf(channel: string): string {
  return `outbox-${channel}`;
}

/** Tells what was staged: claims one delivery, sends it with no transaction open, and settles it when it is still the claimer. */
@Injectable()
export class OutboxDeliveryService implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: OutboxRepository,
    private readonly channels: OutboxChannels,
    private readonly exceptions: ExceptionsService,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
    private readonly errors: ErrorLogService,
  ) {}

  onApplicationBootstrap(): void {
    for (const channel of this.channels.configured) {
      this.jobs.register({
        name: deliveryJobOf(channel.name),
        everyMs: EVERY_MS,
        scope: 'replica', // each delivery is claimed by its row
        lanes: LANES,
        run: ({ stopping }) => this.deliverDue(channel, stopping),
      });
    }
  }

  /** Delivers one after the other until nothing is due. A stop waits for the one at hand: nothing else is claimed yet. */
  async deliverDue(channel: OutboxChannel, stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted && (await this.deliverNext(channel)));
  }

  private async deliverNext(channel: OutboxChannel): Promise<boolean> {
    const claimed = await this.unitOfWork.run((tx) =>
      this.outbox.claimNext(tx, { channel: channel.name, leaseMs: CLAIM_LEASE_MS }),
    );
    if (!claimed) return false;
    const outcome = await this.deliver(channel, claimed);
    const settled = await this.unitOfWork.run((tx) => this.settle(tx, claimed, outcome));
    this.report(claimed, outcome, settled);
    return true;
  }

  private async deliver(channel: OutboxChannel, claimed: ClaimedDelivery): Promise<DeliveryOutcome> {
    try {
      return await channel.deliver(claimed, AbortSignal.timeout(DELIVERY_DEADLINE_MS));
    } catch (error) {
      // A channel needs the database, too: with it away nothing is known and nothing can be settled.
      if (isDatabaseUnavailable(error)) throw error;
      this.errors.record('outbox.delivery_failed', error, idsOf(claimed));
      return { kind: 'retry', reason: 'The backend itself failed; its log says why.' };
    }
  }

  private async settle(tx: Tx, claimed: ClaimedDelivery, outcome: DeliveryOutcome): Promise<Settled> {
    switch (outcome.kind) {
      case 'delivered':
        return this.end(tx, claimed, { status: 'sent', reason: null });
      case 'unwanted':
        return this.end(tx, claimed, { status: 'unwanted', reason: outcome.reason });
      case 'refused':
        return this.fail(tx, claimed, outcome.reason);
      case 'retry': {
        const { attempts, wantedSince } = claimed;
        const ageMs = this.clock.nowMs() - wantedSince.getTime();
        const delayMs = pauseUntilNextTryMs({ attempts, ageMs, pauseMs: outcome.pauseMs }, Math.random());
        if (delayMs === null)
          return this.fail(tx, claimed, `Not delivered within 24 hours. ${outcome.reason}`);
        const { reason } = outcome;
        return (await this.outbox.postpone(tx, claimed, { delayMs, reason })) ? 'postponed' : 'lost';
      }
    }
  }

  private async end(
    tx: Tx,
    claimed: ClaimedDelivery,
    as: { status: 'sent' | 'failed' | 'unwanted'; reason: string | null },
  ): Promise<Settled> {
    return (await this.outbox.settle(tx, claimed, as)) ? as.status : 'lost';
  }

  /** Nothing is given up without a row that an operator sees. */
  private async fail(tx: Tx, claimed: ClaimedDelivery, reason: string): Promise<Settled> {
    const settled = await this.end(tx, claimed, { status: 'failed', reason });
    if (settled === 'failed') {
      await this.exceptions.raise(tx, {
        kind: NOTICE_UNDELIVERABLE,
        subject: noticeSubject(claimed),
        reason,
        detail: { outboxMessageId: claimed.id, topic: claimed.topic, channel: claimed.channel },
      });
    }
    return settled;
  }

  private report(claimed: ClaimedDelivery, outcome: DeliveryOutcome, settled: Settled): void {
    const fields = { ...idsOf(claimed), attempts: claimed.attempts + 1 };
    if (settled === 'sent') this.logger.info('outbox.delivered', fields);
    else if (settled === 'lost') this.logger.warned('outbox.claim_lost', fields);
    else {
      const reason = outcome.kind === 'delivered' ? null : outcome.reason;
      this.logger.warned('outbox.not_delivered', { ...fields, settled, reason });
    }
  }
}

function idsOf(claimed: ClaimedDelivery): { outboxMessageId: string; noticeId: string; channel: string } {
  return { outboxMessageId: claimed.id, noticeId: claimed.noticeId, channel: claimed.channel };
}
