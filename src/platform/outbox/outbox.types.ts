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
