/**
 * What a fault run leaves behind, and all that the checker reads. No code of the application stands behind any of it: the
 * driver writes down what it sent and heard, the server's own binary log says what was written, the simulator says what
 * WeChat Pay believes.
 */
export type Evidence = {
  readonly setting: RunSetting;
  /** In the order of the calls. */
  readonly history: readonly HttpEvent[];
  /** What the cloud functions wrote into the shared tables themselves. */
  readonly directWrites: readonly DirectWrite[];
  /** The final rows, as text, at quiet. */
  readonly tables: Readonly<Record<string, readonly Row[]>>;
  /** Every change of a row in the order of the commits, by the row-format binary log. */
  readonly changes: readonly RowChange[];
  readonly ledger: WeChatLedger;
  /** What the backend says about the money of the run, asked at quiet. */
  readonly reports: { readonly statistics: MoneySums | null; readonly export: MoneySums | null };
  readonly replicas: readonly ReplicaTrace[];
};

export type RunSetting = {
  readonly seed: number;
  readonly server: 'mariadb' | 'mysql';
  readonly faults: readonly string[];
  /** Words that must stand nowhere in logs and answers: openids, phones, secrets, keys, the database password. */
  readonly canaries: readonly string[];
  readonly startedAtMs: number;
  /** How long a message waits for what it needs. */
  readonly orderWaitMs: number;
  /** When the faults were healed and the last request was made. */
  readonly healedAtMs: number;
  readonly quietAtMs: number;
};

/** One request; without a status there was no answer, and it may or may not have happened. */
export type HttpEvent = {
  readonly client: string;
  readonly replica: string;
  /** Milliseconds of the wall clock. */
  readonly calledAtMs: number;
  readonly returnedAtMs: number | null;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly status: number | null;
  readonly answer: unknown;
};

export type DirectWrite = {
  /** `order_paid_tried`: the function heard no answer. */
  readonly what: 'order_created' | 'order_paid' | 'order_paid_tried' | 'user_created';
  readonly outTradeNo: string | null;
  readonly committedAtMs: number;
};

export type Row = Readonly<Record<string, string | null>>;

export type RowChange = {
  /** The number of its transaction, counted from the start of the log. */
  readonly transaction: number;
  readonly committedAtMs: number;
  readonly table: string;
  /** Null for an insert. */
  readonly before: Row | null;
  /** Null for a delete. */
  readonly after: Row | null;
};

export type WeChatLedger = {
  readonly payments: readonly {
    readonly outTradeNo: string;
    readonly transactionId: string;
    readonly amountFen: number;
    readonly paidAtMs: number;
  }[];
  readonly refunds: readonly {
    readonly outRefundNo: string;
    readonly outTradeNo: string;
    readonly refundFen: number;
    readonly status: string;
    /** How often money moved for this number: once, or there is something to explain. */
    readonly timesApplied: number;
  }[];
};

export type MoneySums = { readonly paidFen: number; readonly refundedFen: number };

export type ReplicaTrace = {
  readonly name: string;
  /** Kills of a process that had been live, by kind (`random`, `fsync`, `before-commit`, …). */
  readonly kills: Readonly<Record<string, number>>;
  /** Everything all its processes wrote. */
  readonly log: string;
  /** Ends of its processes that nobody asked for. */
  readonly crashes: readonly string[];
  /** What is left in its spool at quiet. */
  readonly spoolDepth: number;
};
