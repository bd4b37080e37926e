export type AuditRecord = {
  readonly id: string;
  readonly occurredAt: Date;
  readonly actor: string;
  readonly action: string;
  readonly targetType: string;
  readonly targetId: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly reason: string | null;
  readonly requestId: string | null;
  readonly sourceIp: string | null;
};

export type AuditFilter = {
  readonly actor?: string;
  readonly action?: string;
  readonly targetType?: string;
  readonly targetId?: string;
  /** Included. */
  readonly from?: Date;
  /** Not included. */
  readonly to?: Date;
};

export type AuditPosition = { readonly id: string };
