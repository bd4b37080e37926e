export const EXCEPTION_STATES = ['open', 'resolved', 'dismissed'] as const;

export type ExceptionState = (typeof EXCEPTION_STATES)[number];

/** A held or quarantined item as it may be shown to an operator. */
export type ExceptionRecord = {
  /** A BIGINT and therefore text. */
  readonly id: string;
  readonly kind: string;
  readonly subject: string;
  readonly reason: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly status: ExceptionState;
  readonly openedAt: Date;
  /** When it was resolved or dismissed. */
  readonly resolvedAt: Date | null;
  readonly resolvedBy: string | null;
  readonly resolution: string | null;
};

export type ExceptionFilter = {
  readonly kind?: string;
  readonly status?: ExceptionState;
  readonly subject?: string;
  /** Included. */
  readonly from?: Date;
  /** Not included. */
  readonly to?: Date;
};

/** A place in the list of exceptions: `openedAt` is a time in ISO form. */
export type ExceptionPosition = { readonly openedAt: string; readonly id: string };

/** An item that waits or waited for an operator, without its reason. */
export type ExceptionSummary = Pick<
  ExceptionRecord,
  'id' | 'kind' | 'subject' | 'status' | 'openedAt' | 'resolvedAt' | 'resolvedBy'
>;
