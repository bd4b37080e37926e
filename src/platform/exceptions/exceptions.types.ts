/** An item that waits or waited for an operator, without its reason. */
export type ExceptionSummary = {
  readonly kind: string;
  readonly subject: string;
  readonly status: 'open' | 'resolved' | 'dismissed';
  readonly openedAt: Date;
  readonly resolvedAt: Date | null;
  readonly resolvedBy: string | null;
};
