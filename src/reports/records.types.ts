export const RECORD_KINDS = ['generations', 'greeting-cards', 'payment-logs', 'error-logs'] as const;
export type RecordKind = (typeof RECORD_KINDS)[number];

export type RecordFilter = {
  readonly userId?: string;
  readonly status?: string;
  readonly type?: string;
  readonly outTradeNo?: string;
  readonly outRefundNo?: string;
  readonly level?: string;
  readonly errorCode?: string;
  /** Included. */
  readonly from?: Date;
  /** Not included. */
  readonly to?: Date;
};

/** A row as operators see it: the columns by their names in answers, stored documents without what must not leave. */
export type StoredRecord = {
  readonly id: string;
  readonly createdAt: Date | null;
  readonly fields: Readonly<Record<string, unknown>>;
};
