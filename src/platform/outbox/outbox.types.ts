/** A fact as a channel is to tell it. */
export type OutboxDelivery = {
  /** The row of this channel. A BIGINT and therefore text. */
  readonly id: string;
  /** The key of the fact: the same over all channels and all tries. */
  readonly noticeId: string;
  readonly topic: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** When the fact was staged. */
  readonly stagedAt: Date;
};

export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  /** Nobody is there to be told, or who is there does not want it: no fault, and an end. */
  | { readonly kind: 'unwanted'; readonly reason: string }
  /** Not told, as far as is known. `pauseMs` when the other side said how long to leave it alone. */
  | { readonly kind: 'retry'; readonly reason: string; readonly pauseMs?: number }
  /** Will never be told as it is; an operator sees the exception. */
  | { readonly kind: 'refused'; readonly reason: string };

/** One way to tell facts to the outside. */
export type OutboxChannel = {
  readonly name: string;
  /** The facts this channel tells. */
  readonly topics: readonly string[];
  /** An unconfigured channel is given nothing; it is known, so that what it once was given can be put aside. */
  readonly isConfigured: boolean;
  /**
   * Tells one fact; no transaction is open meanwhile. May be called again for the same fact after a crash, so the receiver
   * must be able to tell a repeat by `noticeId`. Ends at the latest when `signal` is raised.
   */
  deliver(delivery: OutboxDelivery, signal: AbortSignal): Promise<DeliveryOutcome>;
};

/** A fact to be told, or the telling of it over a channel, without what is told. */
export type OutboxSummary = {
  readonly id: string;
  readonly topic: string;
  /** Empty for the fact itself. */
  readonly channel: string;
  readonly status: 'pending' | 'sent' | 'failed' | 'distributed' | 'unwanted';
  readonly attempts: number;
  readonly createdAt: Date;
  readonly sentAt: Date | null;
};

export const OUTBOX_STATES = ['pending', 'sent', 'failed', 'distributed', 'unwanted'] as const;

export type OutboxState = (typeof OUTBOX_STATES)[number];

/** A row of the outbox as it may be shown to an operator: a fact, or the telling of one over a channel. */
export type OutboxRecord = {
  readonly id: string;
  readonly topic: string;
  /** Null for a fact. */
  readonly channel: string | null;
  readonly key: string;
  readonly status: OutboxState;
  readonly attempts: number;
  readonly dueAt: Date;
  readonly sentAt: Date | null;
  readonly lastError: string | null;
  readonly createdAt: Date;
};

/** With what an operator may do about it. */
export type OutboxView = OutboxRecord & { readonly canResend: boolean };

export type OutboxFilter = {
  readonly status?: OutboxState;
  readonly channel?: string;
  readonly topic?: string;
  /** A fact's finds its tellings, too. */
  readonly key?: string;
};

export type OutboxPosition = { readonly id: string };

/** What waits for one channel, or for its distribution to them (null); counted up to a limit, the age in seconds. */
export type OutboxBacklog = {
  readonly channel: string | null;
  readonly pending: number;
  readonly failed: number;
  readonly oldestDueSeconds: number;
};
