export type ReadinessReport = {
  readonly status: 'ready' | 'degraded' | 'unavailable' | 'stopping';
  readonly database: { readonly state: string; readonly since: string; readonly reason: string | null };
  readonly spool: {
    readonly state: 'open' | 'failing';
    /** Messages that wait on this machine's disk for MySQL. */
    readonly depth?: number;
    /** Messages that cannot be moved: look at the exceptions and the log. */
    readonly setAside?: number;
    /** Files that were replaced after a disk error; they lie beside the spool and may hold messages. */
    readonly suspectFiles?: number;
    readonly oldestAgeSeconds?: number;
  };
  /** Null while MySQL is away. */
  readonly inbox: {
    readonly pending: number;
    readonly quarantined: number;
    readonly oldestAgeSeconds: number;
  } | null;
  /** Lines that nobody took from standard output. The process goes on without them. */
  readonly log: { readonly linesDropped: number };
};
