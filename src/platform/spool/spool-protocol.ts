/** One message as the spool keeps it. */
export type SpoolRecord = {
  /** SHA-256 of topic and content, hex: a repeat is the same record. */
  readonly dedupeKey: string;
  readonly topic: string;
  readonly outTradeNo: string;
  /** JSON text. */
  readonly payload: string;
  readonly receivedAtMs: number;
};

export type StoredSpoolRecord = SpoolRecord & { readonly seq: number };

export type SpoolStats = {
  /** Records waiting for MySQL. */
  readonly depth: number;
  /** Records that cannot be moved: damaged on disk, or refused by MySQL again and again. */
  readonly setAside: number;
  /** Files that were replaced after an error and may still hold records: for a person to look into. */
  readonly suspectFiles: number;
  readonly oldestReceivedAtMs: number | null;
};

export type SpoolOperation =
  | { readonly op: 'append'; readonly record: SpoolRecord }
  | { readonly op: 'read'; readonly afterSeq: number; readonly limit: number }
  | { readonly op: 'remove'; readonly seqs: readonly number[] }
  | { readonly op: 'setAside'; readonly seq: number; readonly reason: string }
  | { readonly op: 'stats' }
  | { readonly op: 'close' };

export type SpoolRequest = SpoolOperation & { readonly id: number };

export type SpoolReply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly code: string; readonly message: string };

/** Sent without a request, for the log. */
export type SpoolNotice = { readonly notice: string; readonly detail: string };

export type SpoolWorkerData = { readonly dir: string; readonly sizeMbMax: number };
