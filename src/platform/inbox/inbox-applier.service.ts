import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../database/unit-of-work.js';
import type { Tx } from '../database/unit-of-work.js';
import { ExceptionsService } from '../exceptions/exceptions.service.js';
import { ErrorLogService } from '../logging/error-log.service.js';
import { scrubError } from '../logging/scrub.js';
import { InboxHandlers } from './inbox-handlers.js';
import { InboxRepository } from './inbox.repository.js';
import type { Handling, InboxItem, Quarantined } from './inbox.types.js';
import { QuarantineService } from './quarantine.service.js';

/** What to make due after the commit: messages of this topic about this order have what they waited for. */
export type Release = { readonly outTradeNo: string; readonly topic: string };

export type Applied = {
  readonly releases: readonly Release[];
  /** Left for transactions of their own. */
  readonly alone: readonly InboxItem[];
};

/** A message that failed this often with an error of our own is set before an operator. */
const ATTEMPTS_MAX = 10;
const RETRY_DELAY_MS_MAX = 300_000;
/** An order has a backup and a notice, or the notice twice; more of them at once are somebody's mistake. */
const ROUNDS_MAX = 3;
/** How long messages that go alone are hidden; after it they are due again, should this process have died or been slow. */
export const ALONE_LEASE_MS = 5_000;

/** Applies claimed messages with what their features registered, and records what became of each. */
@Injectable()
export class InboxApplier {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly inbox: InboxRepository,
    private readonly handlers: InboxHandlers,
    private readonly quarantine: QuarantineService,
    private readonly exceptions: ExceptionsService,
    private readonly errors: ErrorLogService,
  ) {}

  /** @param items claimed in `tx` */
  async applyAll(tx: Tx, items: readonly InboxItem[]): Promise<Applied> {
    const [only] = items;
    if (only && items.length === 1) {
      const release = await this.applyOne(tx, only);
      return { releases: release ? [release] : [], alone: [] };
    }
    const applied = await this.applyTogether(tx, items);
    const alone = items.filter((item) => !applied.has(item));
    const ids = alone.map(({ id }) => id);
    await this.inbox.hide(tx, ids, ALONE_LEASE_MS);
    return { releases: [...applied].flatMap(([item, handling]) => releaseOf(item, handling) ?? []), alone };
  }

  /** @param item claimed in `tx` */
  async applyOne(tx: Tx, item: InboxItem): Promise<Release | null> {
    const handling = await this.handlers.get(item.topic)(tx, item);
    switch (handling.kind) {
      case 'handled':
        await this.inbox.settle(tx, [item.id], { status: 'handled', outcome: handling.outcome });
        await this.quarantine.end(tx, item);
        return releaseOf(item, handling);
      case 'postponed':
        await this.inbox.postpone(tx, [item.id], { ...handling, failed: false });
        return null;
      case 'quarantined':
        await this.setAside(tx, item, handling);
        return null;
    }
  }

  /** A failing message makes room for the others: it comes back later each time, and in the end before an operator. */
  async recordFailure(item: InboxItem, error: unknown): Promise<void> {
    this.errors.record('inbox.message_failed', error, {
      inboxMessageId: item.id,
      topic: item.topic,
      outTradeNo: item.outTradeNo,
      attempts: item.attempts + 1,
    });
    const reason = scrubError(error).message;
    await this.unitOfWork.run(async (tx) => {
      if (item.attempts + 1 < ATTEMPTS_MAX) {
        const delayMs = Math.min(1_000 * 2 ** item.attempts, RETRY_DELAY_MS_MAX);
        await this.inbox.postpone(tx, [item.id], { delayMs, reason, failed: true });
        return;
      }
      const as = { status: 'quarantined', outcome: 'message_failed' } as const;
      // Somebody else may have applied it meanwhile.
      if ((await this.inbox.settle(tx, [item.id], as)) === 0) return;
      await this.exceptions.raise(tx, {
        kind: 'message_failed',
        subject: item.outTradeNo,
        reason: `The message could not be applied after ${ATTEMPTS_MAX} tries: ${reason}`,
        detail: { inboxMessageId: item.id, topic: item.topic },
      });
    });
  }

  /** The messages about one order keep their order: behind one that is left for later, the others are left as well. */
  private async applyTogether(tx: Tx, items: readonly InboxItem[]): Promise<Map<InboxItem, Handling>> {
    const together = new Map<InboxItem, Handling>();
    let queues = [...Map.groupBy(items, ({ outTradeNo }) => outTradeNo).values()];
    for (let round = 0; round < ROUNDS_MAX && queues.length > 0; round += 1) {
      const heads = queues.flatMap((queue) => queue[round] ?? []);
      for (const [topic, of] of Map.groupBy(heads.filter(isFresh), (item) => item.topic)) {
        const applied = await this.handlers.findForSet(topic)?.(tx, of);
        if (!applied) continue;
        // At once: an exception that is raised here is a fact for what follows.
        await this.settleAll(tx, applied);
        applied.forEach((handling, item) => together.set(item, handling));
      }
      queues = queues.filter((queue) => queue[round + 1] && together.has(queue[round] as InboxItem));
    }
    return together;
  }

  /** What has the same end is written in one statement; each exception is a row of its own. */
  private async settleAll(tx: Tx, applied: ReadonlyMap<InboxItem, Handling>): Promise<void> {
    for (const of of Map.groupBy(applied, ([, handling]) => JSON.stringify(handling)).values()) {
      const ids = of.map(([{ id }]) => id);
      const handling = of[0]?.[1];
      if (handling?.kind === 'handled')
        await this.inbox.settle(tx, ids, { status: 'handled', outcome: handling.outcome });
      else if (handling?.kind === 'postponed')
        await this.inbox.postpone(tx, ids, { ...handling, failed: false });
      else if (handling) for (const [item] of of) await this.setAside(tx, item, handling);
    }
  }

  private async setAside(tx: Tx, item: InboxItem, handling: Quarantined): Promise<void> {
    await this.inbox.settle(tx, [item.id], { status: 'quarantined', outcome: handling.exceptionKind });
    await this.exceptions.raise(tx, {
      kind: handling.exceptionKind,
      subject: item.outTradeNo,
      reason: handling.reason,
      detail: { ...handling.detail, inboxMessageId: item.id },
    });
  }
}

/** One that failed before, or was aside, goes alone: it must not fail the others, and more than its own row depends on it. */
function isFresh({ attempts, quarantinedAs }: InboxItem): boolean {
  return attempts === 0 && quarantinedAs === null;
}

function releaseOf({ outTradeNo }: InboxItem, handling: Handling): Release | null {
  const topic = handling.kind === 'handled' ? handling.releaseTopic : undefined;
  return topic ? { outTradeNo, topic } : null;
}
