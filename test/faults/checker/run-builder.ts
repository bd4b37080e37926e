import type { Evidence, Row, RowChange } from './evidence.ts';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };
type Written = readonly [table: string, before: Row | null, after: Row | null];

/** The columns that tell the rows of a table apart. */
const KEYS: Readonly<Record<string, string>> = {
  payment_orders: 'out_trade_no',
  refunds: 'out_refund_no',
  refund_settlements: 'out_refund_no',
  job_leases: 'name',
};
const TABLES = [
  ...['payment_orders', 'refunds', 'refund_settlements', 'job_leases', 'users', 'entitlement_grants'],
  ...['inbox_messages', 'exceptions', 'outbox_messages', 'audit_logs', 'error_logs'],
];

export const STARTED_AT_MS = Date.UTC(2026, 0, 2, 3, 0, 0);

/** A time as columns show it. */
export function timeText(afterStartMs: number): string {
  return new Date(STARTED_AT_MS + afterStartMs).toISOString().slice(0, 19).replace('T', ' ');
}

/** Evidence made by hand: what is written goes into the log of changes and, with it, into the tables. */
export class RunBuilder {
  readonly changes: RowChange[] = [];
  readonly history: Mutable<Evidence['history'][number]>[] = [];
  readonly directWrites: Mutable<Evidence['directWrites'][number]>[] = [];
  readonly payments: Mutable<Evidence['ledger']['payments'][number]>[] = [];
  readonly refunds: Mutable<Evidence['ledger']['refunds'][number]>[] = [];
  readonly reports: { statistics: Evidence['reports']['statistics']; export: Evidence['reports']['export'] };
  readonly replica = { name: 'a', kills: {}, crashes: [], log: '', spoolDepth: 0 };
  private readonly tables: Record<string, Map<string, Row>>;
  private transactions = 0;

  constructor() {
    this.reports = { statistics: null, export: null };
    this.tables = Object.fromEntries(TABLES.map((table) => [table, new Map<string, Row>()]));
  }

  /** One transaction, committed so many milliseconds after the start. */
  commit(afterStartMs: number, ...written: readonly Written[]): void {
    this.transactions += 1;
    for (const [table, before, after] of written) {
      const committedAtMs = STARTED_AT_MS + afterStartMs;
      this.changes.push({ transaction: this.transactions, committedAtMs, table, before, after });
      const row = after ?? before;
      const key = String(row?.[KEYS[table] ?? 'id']);
      if (after) this.tables[table]?.set(key, after);
      else this.tables[table]?.delete(key);
    }
  }

  /** The row as it is now. */
  row(table: string, key: string): Row {
    const row = this.tables[table]?.get(key);
    if (!row) throw new Error(`${table} has no row ${key}`);
    return row;
  }

  /** What changes it, for `commit`. */
  update(table: string, key: string, changed: Row): Written {
    const before = this.row(table, key);
    return [table, before, { ...before, ...changed }];
  }

  /** As if the final row had come about by a write that is not in the log. */
  falsify(table: string, key: string, changed: Row): void {
    this.tables[table]?.set(key, { ...this.row(table, key), ...changed });
  }

  /** As if neither the row nor a change of it had ever been. */
  lose(table: string, key: string): void {
    const column = KEYS[table] ?? 'id';
    this.tables[table]?.delete(key);
    const left = this.changes.filter(
      (change) => change.table !== table || (change.after ?? change.before)?.[column] !== key,
    );
    this.changes.splice(0, this.changes.length, ...left);
  }

  post(
    afterStartMs: number,
    path: string,
    body: unknown,
    answered: { status: number; answer: unknown },
  ): void {
    const calledAtMs = STARTED_AT_MS + afterStartMs;
    const at = { calledAtMs, returnedAtMs: calledAtMs + 5 };
    this.history.push({ client: 'c', replica: 'a', ...at, method: 'POST', path, body, ...answered });
  }

  evidence(): Evidence {
    return {
      setting: {
        seed: 1,
        server: 'mariadb',
        faults: [],
        canaries: ['oCanaryOfTheTests'],
        startedAtMs: STARTED_AT_MS,
        orderWaitMs: 60_000,
        healedAtMs: STARTED_AT_MS + 60_000,
        quietAtMs: STARTED_AT_MS + 120_000,
      },
      history: this.history,
      directWrites: this.directWrites,
      tables: Object.fromEntries(
        Object.entries(this.tables).map(([name, rows]) => [name, [...rows.values()]]),
      ),
      changes: this.changes,
      ledger: { payments: this.payments, refunds: this.refunds },
      reports: this.reports,
      replicas: [this.replica],
    };
  }
}
