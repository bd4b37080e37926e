import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { Clock } from '../../shared/clock.js';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { JobRunner } from '../jobs/job-runner.js';
import { AppLogger } from '../logging/app-logger.js';
import { DELIVERY_LIFE_MS } from './delivery-schedule.js';
import { OutboxChannels } from './outbox-channels.js';
import { deliveryJobOf } from './outbox-delivery.service.js';
import { OutboxRepository } from './outbox.repository.js';
import type { StagedFact } from './outbox.repository.js';

const EVERY_MS = 1_000;
/** One transaction's facts: two statements for each that somebody is told, and grants that stage new ones wait for none of them. */
const BATCH_MAX = 200;
/** During a rolling upgrade a newer replica may stage topics that this one does not know: it takes them itself meanwhile. */
const UNKNOWN_TOPIC_DELAY_MS = 60_000;

type Fate = {
  readonly kind: 'distributed' | 'unwanted' | 'left';
  readonly reason: string | null;
  readonly channels: readonly string[];
};

/**
 * Gives each staged fact a row of its own for every channel that is to tell it, or puts it aside when none is configured:
 * a channel that is set up later tells what happens from then on, and no history.
 */
@Injectable()
export class OutboxDistributionService implements OnApplicationBootstrap {
  constructor(
    private readonly jobs: JobRunner,
    private readonly unitOfWork: UnitOfWork,
    private readonly outbox: OutboxRepository,
    private readonly channels: OutboxChannels,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {}

  onApplicationBootstrap(): void {
    this.jobs.register({
      name: 'outbox-distribution',
      everyMs: EVERY_MS,
      scope: 'replica', // facts are claimed by their row locks
      run: async ({ stopping }) => {
        await this.distribute(stopping);
        await this.giveUpUnserved();
      },
    });
  }

  /** Works until no fact is due. */
  async distribute(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const fates = await this.unitOfWork.run((tx) => this.distributeBatch(tx));
      if (fates.includes('distributed')) this.wakeChannels();
      const unwanted = fates.filter((fate) => fate === 'unwanted').length;
      if (unwanted > 0) this.logger.info('outbox.put_aside', { unwanted });
      if (fates.length < BATCH_MAX) return;
    }
  }

  /** What a channel was given before it was taken out of the configuration must not wait for its return. */
  async giveUpUnserved(): Promise<void> {
    for (const { name } of this.channels.unconfigured) {
      const unwanted = await this.unitOfWork.run((tx) =>
        this.outbox.giveUpUnserved(tx, {
          channel: name,
          dueForMs: DELIVERY_LIFE_MS,
          limit: BATCH_MAX,
          reason: 'The channel is not configured any more.',
        }),
      );
      if (unwanted > 0) this.logger.info('outbox.put_aside', { unwanted, channel: name });
    }
  }

  private async distributeBatch(tx: Tx): Promise<Fate['kind'][]> {
    const facts = await this.outbox.lockFacts(tx, BATCH_MAX);
    const decided = facts.map((fact) => ({ fact, fate: this.decide(fact) }));
    for (const { fact, fate } of decided) {
      for (const channel of fate.channels) await this.outbox.insertDelivery(tx, fact, channel);
    }
    // Facts that share a fate share a statement: where nobody listens, that is all of them.
    for (const of of Map.groupBy(decided, ({ fate }) => `${fate.kind} ${fate.reason}`).values()) {
      const ids = of.map(({ fact }) => fact.id);
      if (of[0]) await this.settle(tx, ids, of[0].fate);
    }
    return decided.map(({ fate }) => fate.kind);
  }

  private decide(fact: StagedFact): Fate {
    const wanted = this.channels.wantedFor(fact.topic);
    const isOld = this.clock.nowMs() - fact.createdAt.getTime() > DELIVERY_LIFE_MS;
    if (isOld)
      return { kind: 'unwanted', reason: 'It was older than a day when it could be told.', channels: [] };
    if (!wanted) return { kind: 'left', reason: null, channels: [] };
    if (wanted.length === 0) return { kind: 'unwanted', reason: 'No channel is configured.', channels: [] };
    return { kind: 'distributed', reason: null, channels: wanted };
  }

  private async settle(tx: Tx, ids: readonly string[], fate: Fate): Promise<void> {
    if (fate.kind === 'left') await this.outbox.postponeFacts(tx, ids, UNKNOWN_TOPIC_DELAY_MS);
    else await this.outbox.settleFacts(tx, ids, { status: fate.kind, reason: fate.reason });
  }

  private wakeChannels(): void {
    for (const { name } of this.channels.configured) this.jobs.wake(deliveryJobOf(name));
  }
}
