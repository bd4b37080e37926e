import type { Tx } from '../database/unit-of-work.js';

/** A message as the edge takes it in. */
export type IncomingMessage = {
  readonly topic: string;
  readonly outTradeNo: string;
  /** What makes two messages the same; the rest of the payload may differ between repeats. */
  readonly identity: unknown;
  readonly payload: unknown;
};

/** A stored message at work. `id` is a BIGINT and therefore text. */
export type InboxItem = {
  readonly id: string;
  readonly topic: string;
  readonly outTradeNo: string;
  readonly payload: unknown;
  readonly receivedAt: Date;
  /** For how long it had been due when it was claimed. */
  readonly dueForMs: number;
  readonly attempts: number;
  /** The kind of the exception, when it was quarantined before and is tried again. */
  readonly quarantinedAs: string | null;
};

export type Handled = { readonly kind: 'handled'; readonly outcome: string; readonly releaseTopic?: string };

/** Not yet: something it needs is missing, and may come. */
type Postponed = { readonly kind: 'postponed'; readonly reason: string; readonly delayMs: number };

/** Cannot be applied as it is; an operator sees the exception. */
export type Quarantined = {
  readonly kind: 'quarantined';
  readonly exceptionKind: string;
  readonly reason: string;
  readonly detail?: Record<string, unknown>;
};

export type Handling = Handled | Postponed | Quarantined;

/**
 * Applies one message in the transaction that also settles it. May run again after a crash or a deadlock,
 * so it must be idempotent, and it must not touch the network.
 */
export type InboxHandler = (tx: Tx, item: InboxItem) => Promise<Handling>;

/**
 * Applies many messages of a topic in one transaction that also settles them, those of them that are usual; what it leaves
 * out is applied alone by the topic's {@link InboxHandler}. Each must have the effect it would have alone. May run again.
 */
export type InboxSetHandler = (
  tx: Tx,
  items: readonly InboxItem[],
) => Promise<ReadonlyMap<InboxItem, Handling>>;

/** What became of a message, without what it said. */
export type InboxSummary = {
  readonly topic: string;
  readonly status: 'pending' | 'handled' | 'quarantined';
  readonly outcome: string | null;
  readonly attempts: number;
  readonly receivedAt: Date;
  readonly handledAt: Date | null;
};
