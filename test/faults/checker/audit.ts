import type { HttpEvent, RowChange } from './evidence.ts';
import { imageOf } from './binlog.ts';
import { field, groupBy, hasAudit, isSuccess, text } from './facts.ts';
import type { Facts, Transaction } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

type Rule = {
  readonly method: 'POST' | 'PATCH';
  readonly path: RegExp;
  readonly action: RegExp;
  /** What the line is about; null where the answer does not name it. */
  readonly targetOf: (event: HttpEvent, path: RegExpExecArray) => unknown;
  /** A repetition changes nothing, and so writes nothing. */
  readonly isOnce: boolean;
};

const named = (_: HttpEvent, path: RegExpExecArray) => decodeURIComponent(path[1] ?? '');
const RULES: readonly Rule[] = [
  {
    method: 'POST',
    path: /^\/api\/admin\/refunds$/,
    action: /^refund\.requested$/,
    targetOf: ({ answer }) => field(answer, 'data', 'outRefundNo'),
    isOnce: true,
  },
  rule('POST', /^\/api\/admin\/refunds\/([^/]+)\/retry$/, /^refund\.retried$/),
  rule('POST', /^\/api\/admin\/refunds\/([^/]+)\/redirect$/, /^refund\.redirected$/),
  rule('PATCH', /^\/api\/admin\/orders\/([^/]+)$/, /^order\.remark_changed$/),
  rule('POST', /^\/api\/admin\/orders\/([^/]+)\/ask$/, /^order\.asked$/),
  rule('POST', /^\/api\/admin\/exceptions\/([^/]+)\/(?:dismiss|reopen|adopt|grant|refund)$/, /^exception\./),
  rule('POST', /^\/api\/admin\/outbox\/([^/]+)\/resend$/, /^notice\.resent$/),
  rule('PATCH', /^\/api\/admin\/users\/([^/]+)$/, /^user\.changed$/),
];

function rule(method: Rule['method'], path: RegExp, action: RegExp): Rule {
  return { method, path, action, targetOf: named, isOnce: false };
}

/** Answers a question in a body, and changes nothing. */
const READS = /^\/api\/admin\/users\/search$/;

/** I21: what an operator changed has its line in the audit log, and what the log says was changed in the same transaction. */
export function changesAreAudited(facts: Facts): Verdict {
  const seen = new Examination('I21');
  const lines = groupBy(facts.rows('audit_logs'), (row) => text(row, 'target_id'));
  for (const event of facts.evidence.history) {
    if (event.method === 'GET' || !event.path.startsWith('/api/admin/') || READS.test(event.path)) continue;
    if (!isSuccess(event)) continue;
    const found = RULES.find(({ method, path }) => method === event.method && path.test(event.path));
    const match = found?.path.exec(event.path);
    if (!found || !match) {
      seen.examine(
        `the checker does not know what ${event.method} ${event.path} has to write into the audit log`,
      );
      continue;
    }
    const target = String(found.targetOf(event, match));
    const count = (lines.get(target) ?? []).filter((line) => found.action.test(text(line, 'action'))).length;
    const isRight = found.isOnce ? count === 1 : count > 0;
    seen.examine(
      isRight ? null : `${event.method} ${event.path} of ${target} has ${count} lines in the audit log`,
    );
  }
  for (const transaction of facts.transactions) {
    for (const change of transaction.changes) examineChange(transaction, change, seen);
  }
  return seen.verdict();
}

function examineChange(transaction: Transaction, change: RowChange, seen: Examination): void {
  const { table, before, after } = change;
  if (!after) return;
  const expected = expectedOf(change);
  if (expected) {
    const isThere = hasAudit(transaction, expected.action, expected.target);
    seen.examine(isThere ? null : `${expected.what} without a line of the audit log in its transaction`);
  }
  if (table !== 'audit_logs') return;
  if (before) seen.examine(`the line ${before.id} of the audit log was changed`);
  else if (after.action === 'refund.requested') {
    const isMade = transaction.changes.some(
      (other) =>
        other.table === 'refund_settlements' &&
        !other.before &&
        imageOf(other).out_refund_no === after.target_id,
    );
    seen.examine(
      isMade ? null : `the audit log has the request of ${after.target_id}, which was not made with it`,
    );
  }
}

function expectedOf({
  table,
  before,
  after,
}: RowChange): { action: RegExp; target: string; what: string } | null {
  if (!after) return null;
  if (table === 'refund_settlements') {
    const target = text(after, 'out_refund_no');
    if (!before && after.origin === 'operator')
      return { action: /^refund\.requested$/, target, what: `${target} was promised` };
    if (before && before.status !== after.status)
      return {
        action: new RegExp(`^refund\\.${after.status}$`),
        target,
        what: `${target} became ${after.status}`,
      };
  }
  if (table === 'payment_orders' && before && before.status !== after.status && after.status === 'refunded') {
    const target = text(after, 'out_trade_no');
    return { action: /^order\.refund(ed|_restored)$/, target, what: `${target} became refunded` };
  }
  const isByHand =
    table === 'entitlement_grants' && !before && !(after.granted_by ?? '').startsWith('system:');
  if (isByHand && after.origin === 'payment' && after.entry === 'grant') {
    const target = text(after, 'out_trade_no');
    return { action: /^order\.granted$/, target, what: `${target} was granted by hand` };
  }
  return null;
}
