export const EXPORT_FORMATS = ['csv', 'xlsx'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export const EXPORT_KINDS = ['orders', 'refunds', 'product-orders'] as const;
export type ExportKind = (typeof EXPORT_KINDS)[number];

/** By which time rows are chosen: when they were made, or when the money moved. */
export const EXPORT_TIMES = ['created', 'settled'] as const;
export type ExportTime = (typeof EXPORT_TIMES)[number];

export type ExportFilter = {
  readonly status?: string;
  readonly userId?: string;
  readonly packageType?: string;
  readonly tradeType?: string;
};

export type ExportRange = {
  /** Included. */
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
};

export type ExportRequest = ExportRange & {
  readonly kind: ExportKind;
  readonly format: ExportFormat;
  readonly by: ExportTime;
  readonly filter: ExportFilter;
};
