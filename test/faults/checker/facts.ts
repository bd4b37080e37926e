import type { Evidence, HttpEvent, Row, RowChange } from './evidence.ts';
import { imageOf } from './binlog.ts';

/** What each price of a run buys. */
export const BOUGHT: Readonly<Record<number, string>> = { 1: 'basic', 2990: 'premium' };

/** The changes of one transaction, in their order. */
export type Transaction = {
  readonly number: number;
  readonly committedAtMs: number;
  readonly changes: readonly RowChange[];
};

/** The evidence, by what the invariants ask for. */
export class Facts {
  readonly evidence: Evidence;
  readonly transactions: readonly Transaction[];
  private readonly ordersByNo: ReadonlyMap<string, readonly Row[]>;
  private readonly linesByNo: ReadonlyMap<string, readonly Row[]>;
  private readonly exceptionsBySubject: ReadonlyMap<string, readonly Row[]>;
  private readonly paymentsByNo: ReadonlyMap<string, Evidence['ledger']['payments'][number]>;
  private readonly changesByTable: ReadonlyMap<string, readonly RowChange[]>;
  private readonly ordersByTransaction: ReadonlyMap<string, number>;
  private readonly refunded: ReadonlySet<string>;
  private readonly written: ReadonlySet<string>;
  private readonly told: ReadonlySet<unknown>;

  constructor(evidence: Evidence) {
    this.evidence = evidence;
    this.transactions = byTransaction(evidence.changes);
    this.ordersByNo = groupBy(this.rows('payment_orders'), (row) => text(row, 'out_trade_no'));
    this.linesByNo = groupBy(this.rows('entitlement_grants'), (row) => text(row, 'out_trade_no'));
    this.exceptionsBySubject = groupBy(this.rows('exceptions'), (row) => text(row, 'subject'));
    this.paymentsByNo = new Map(evidence.ledger.payments.map((payment) => [payment.outTradeNo, payment]));
    this.changesByTable = groupBy(evidence.changes, ({ table }) => table);
    const paid = this.rows('payment_orders').filter((row) => row.transaction_id);
    const alike = groupBy(paid, (row) => text(row, 'transaction_id'));
    this.ordersByTransaction = new Map([...alike].map(([id, rows]) => [id, rows.length]));
    this.refunded = new Set(this.rows('refund_settlements').map((row) => text(row, 'out_trade_no')));
    this.written = new Set(evidence.directWrites.map(({ what, outTradeNo }) => `${what} ${outTradeNo}`));
    this.told = new Set([
      ...evidence.directWrites.flatMap(({ what, outTradeNo }) =>
        what === 'order_paid_tried' ? [] : [outTradeNo],
      ),
      ...evidence.history.filter(isSuccess).map(({ body }) => field(body, 'outTradeNo')),
    ]);
  }

  /** @throws Error when the evidence has no such table: an empty one is there, and empty */
  rows(table: string): readonly Row[] {
    const rows = this.evidence.tables[table];
    if (!rows) throw new Error(`the evidence has no table ${table}`);
    return rows;
  }

  changes(table: string): readonly RowChange[] {
    return this.changesByTable.get(table) ?? [];
  }

  ordersOf(outTradeNo: string): readonly Row[] {
    return this.ordersByNo.get(outTradeNo) ?? [];
  }

  order(outTradeNo: string): Row | undefined {
    return this.ordersOf(outTradeNo)[0];
  }

  /** Such a line of the ledger of entitlements that stands for the order's payment. */
  line(outTradeNo: string, entry: 'grant' | 'revocation'): Row | undefined {
    return (this.linesByNo.get(outTradeNo) ?? []).find(
      (line) => line.entry === entry && (entry === 'revocation' || line.origin === 'payment'),
    );
  }

  hasLine(outTradeNo: string, entry: 'grant' | 'revocation'): boolean {
    return this.line(outTradeNo, entry) !== undefined;
  }

  /** Before an operator instead of granted, with a reason. */
  isHeld(outTradeNo: string): boolean {
    return this.hasException(outTradeNo, ['payment_held']) && this.mayBeHeld(outTradeNo);
  }

  /** What can be the matter with a paid order of a run: without it, a hold is an order that gets nothing. */
  mayBeHeld(outTradeNo: string): boolean {
    const order = this.order(outTradeNo);
    const payment = this.payment(outTradeNo);
    const isOtherAmount = order && payment && fenOfYuan(order.amount) !== payment.amountFen;
    const isNobodysPrice = order && !payment && !BOUGHT[fenOfYuan(order.amount)];
    const isRival = (this.ordersByTransaction.get(text(order ?? {}, 'transaction_id')) ?? 0) > 1;
    return Boolean(isOtherAmount || isNobodysPrice || isRival || this.refunded.has(outTradeNo));
  }

  /** An item that an operator sees, or said that it needs nothing. */
  hasException(subject: string, kinds?: readonly string[]): boolean {
    return (this.exceptionsBySubject.get(subject) ?? []).some(
      ({ kind, status }) => status !== 'resolved' && (!kinds || kinds.includes(kind ?? '')),
    );
  }

  /** An item that an operator saw at some time, whatever became of it. */
  hadException(subject: string): boolean {
    return this.exceptionsBySubject.has(subject);
  }

  payment(outTradeNo: string): Evidence['ledger']['payments'][number] | undefined {
    return this.paymentsByNo.get(outTradeNo);
  }

  /** What the order cost, in fen: WeChat Pay's word counts where a row says another amount. */
  cost(order: Row): number {
    return this.payment(text(order, 'out_trade_no'))?.amountFen ?? fenOfYuan(order.amount);
  }

  /** By a cloud function itself, past the backend. */
  wasWritten(outTradeNo: string, what: Evidence['directWrites'][number]['what']): boolean {
    return this.written.has(`${what} ${outTradeNo}`);
  }

  /** Whether anybody can have learnt of the order here: a message about it was taken, or a function wrote its row. */
  isTold(outTradeNo: string): boolean {
    return this.told.has(outTradeNo) || this.order(outTradeNo) !== undefined;
  }

  /** Requests of one kind. */
  posts(path: RegExp): readonly HttpEvent[] {
    return this.evidence.history.filter((event) => event.method === 'POST' && path.test(event.path));
  }
}

export function text(row: Row, column: string): string {
  return row[column] ?? '';
}

/** Fen of a DECIMAL column's text. @throws Error when it is no amount with two decimals */
export function fenOfYuan(yuan: string | null | undefined): number {
  const parts = /^(-?)(\d+)\.(\d\d)$/.exec(yuan ?? '');
  if (!parts) throw new Error(`no amount of yuan: ${yuan}`);
  return (parts[1] ? -1 : 1) * (Number(parts[2]) * 100 + Number(parts[3]));
}

/** Milliseconds of a time column's text, which is in UTC; null for NULL. */
export function msOf(time: string | null | undefined): number | null {
  return time ? Date.parse(`${time.replace(' ', 'T')}Z`) : null;
}

export function isSuccess({ status }: HttpEvent): boolean {
  return status !== null && status >= 200 && status < 300;
}

/** Nothing may have come of it: the client's own fault. */
export function isRefusal({ status }: HttpEvent): boolean {
  return status !== null && status >= 400 && status < 500;
}

export function field(value: unknown, ...path: readonly string[]): unknown {
  let inner = value;
  for (const key of path) inner = (inner as Record<string, unknown> | null | undefined)?.[key];
  return inner;
}

export function groupBy<Item>(items: Iterable<Item>, keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

function byTransaction(changes: readonly RowChange[]): Transaction[] {
  const transactions: (Transaction & { changes: RowChange[] })[] = [];
  for (const change of changes) {
    const last = transactions.at(-1);
    if (last?.number === change.transaction) last.changes.push(change);
    else {
      const { transaction: number, committedAtMs } = change;
      transactions.push({ number, committedAtMs, changes: [change] });
    }
  }
  return transactions;
}

/** True when the transaction wrote this line of the audit log. */
export function hasAudit(transaction: Transaction, action: RegExp, targetId: string): boolean {
  return transaction.changes.some(
    (change) =>
      change.table === 'audit_logs' &&
      change.before === null &&
      action.test(text(imageOf(change), 'action')) &&
      imageOf(change).target_id === targetId,
  );
}
