import type { HttpEvent, Row, RowChange } from './evidence.ts';
import { imageOf } from './binlog.ts';
import { fenOfYuan, field, groupBy, isRefusal, isSuccess, text } from './facts.ts';
import type { Facts } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const ORDER_CREATED = /^\/api\/payment\/internal\/order-created$/;
const NOTIFY = /^\/api\/payment\/internal\/notify$/;
export const REFUND_REQUEST = /^\/api\/admin\/refunds$/;
const WECHAT_CALLBACK = /^\/api\/payment\/(refund-)?callback$/;
/** What an operator must have seen, for the order of an acknowledged message to be missing or another one. */
const WHY_NO_ROW = ['impossible_amount', 'spool_record_refused', 'message_failed'];
const WHY_ANOTHER_ROW = ['order_conflict', 'package_unknown', 'payment_held'];
const PAID_STATES = ['paid', 'refunded'];
const TOO_MANY_REQUESTS = 429;
const CONFLICT = 409;

/** I1: the order of each acknowledged `order-created` is in the table as it was told, or before an operator. */
export function noAcknowledgedOrderLost(facts: Facts): Verdict {
  const seen = new Examination('I1');
  for (const event of facts.posts(ORDER_CREATED)) {
    if (isSuccess(event) && field(event.answer, 'success') === true) seen.examine(lostOrder(facts, event));
  }
  return seen.verdict();
}

function lostOrder(facts: Facts, { body }: HttpEvent): string | null {
  const outTradeNo = String(field(body, 'outTradeNo'));
  const rows = facts.ordersOf(outTradeNo);
  if (rows.length > 1) return `${outTradeNo} has ${rows.length} rows`;
  const [row] = rows;
  if (!row) {
    return facts.hasException(outTradeNo, WHY_NO_ROW)
      ? null
      : `${outTradeNo} was acknowledged, and has neither a row nor an exception`;
  }
  const differences = differencesOf(facts, row, body);
  return differences.length === 0 || facts.hasException(outTradeNo, WHY_ANOTHER_ROW)
    ? null
    : `${outTradeNo} was acknowledged otherwise: ${differences.join(', ')}`;
}

function differencesOf(facts: Facts, row: Row, body: unknown): string[] {
  const told = (name: string) => field(body, name);
  const user = facts.rows('users').find(({ id }) => id === row.user_id);
  const owners = [told('userId'), told('openid')].filter(Boolean);
  const isOwner = owners.length === 0 || owners.includes(row.user_id) || owners.includes(user?.openid);
  const expected: [string, unknown, unknown][] = [
    ['amount', fenOfYuan(row.amount), Number(told('amount'))],
    ['package', row.package_type, told('packageType') ?? row.package_type],
    ['trade type', row.trade_type, told('tradeType') ?? 'JSAPI'],
  ];
  const wrong = expected.filter(([, is, was]) => is !== was);
  return [
    ...wrong.map(([name, is, was]) => `${name} ${String(is)} instead of ${String(was)}`),
    ...(isOwner ? [] : [`user ${row.user_id}`]),
  ];
}

/** I2: the payment of each acknowledged notice is in the table and granted, or before an operator. */
export function noAcknowledgedNoticeLost(facts: Facts): Verdict {
  const seen = new Examination('I2');
  const waiting = new Set(
    facts
      .rows('inbox_messages')
      .flatMap((row) => (row.status === 'pending' ? [text(row, 'out_trade_no')] : [])),
  );
  for (const event of facts.posts(NOTIFY)) {
    if (isSuccess(event)) seen.examine(lostNotice(facts, event, waiting));
  }
  return seen.verdict();
}

function lostNotice(facts: Facts, { body }: HttpEvent, waiting: ReadonlySet<string>): string | null {
  const outTradeNo = String(field(body, 'outTradeNo'));
  if (facts.isHeld(outTradeNo) || facts.hasException(outTradeNo, whyUnsettled(facts, outTradeNo)))
    return null;
  const row = facts.order(outTradeNo);
  const told = field(body, 'transactionId');
  // Hearsay about money that WeChat Pay does not have waits for the order's time to be over.
  if (waiting.has(outTradeNo) && !facts.payment(outTradeNo)) return null;
  if (!row || !PAID_STATES.includes(text(row, 'status')))
    return `${outTradeNo} was notified, and its row is ${row?.status ?? 'missing'}, without an exception`;
  if (told && row.transaction_id !== told)
    return `${outTradeNo} was notified with ${wordOf(told)}, and has ${row.transaction_id}`;
  const isSettled = facts.hasLine(outTradeNo, 'grant') || facts.hasLine(outTradeNo, 'revocation');
  return isSettled ? null : `${outTradeNo} was notified, and nothing was granted for it`;
}

/** Where WeChat Pay has the money, nobody may call it unproven. */
function whyUnsettled(facts: Facts, outTradeNo: string): string[] {
  const always = ['transaction_mismatch'];
  return facts.payment(outTradeNo) ? always : [...always, 'order_unknown', 'payment_unproven'];
}

/** I13: what was acknowledged was written, by the binary log and not by the tables; what was refused was not. */
export function answersAreHonest(facts: Facts): Verdict {
  const seen = new Examination('I13');
  const messages = groupBy(
    facts.changes('inbox_messages').filter(({ before }) => before === null),
    (change) => `${imageOf(change).topic} ${imageOf(change).out_trade_no}`,
  );
  const stored = (event: HttpEvent, topic: string) =>
    (messages.get(`${topic} ${String(field(event.body, 'outTradeNo'))}`) ?? []).some((change) =>
      isStored(event, imageOf(change)),
    );
  for (const [path, topics] of TOPICS) {
    for (const event of facts.posts(path)) {
      const isThere = topics.some((topic) => stored(event, topic));
      if (isSuccess(event)) seen.examine(isThere ? null : `${nameOf(event)}: acknowledged and never written`);
      else if (isRefusal(event) && !wasOtherwiseTaken(facts, event))
        seen.examine(isThere ? `${nameOf(event)}: refused and written` : null);
    }
  }
  examineRefundAnswers(facts, seen);
  return seen.verdict();
}

const TOPICS: readonly (readonly [RegExp, readonly string[]])[] = [
  [ORDER_CREATED, ['order_created']],
  [NOTIFY, ['payment_notified']],
  [WECHAT_CALLBACK, ['wechat_payment', 'wechat_refund']],
];

/** The message that was answered, and not another one about the same order. */
function isStored({ body }: HttpEvent, row: Row): boolean {
  const payload: unknown = JSON.parse(text(row, 'payload'));
  if (row.topic === 'payment_notified')
    return same(field(payload, 'transactionId'), field(body, 'transactionId'));
  return row.topic !== 'order_created' || same(field(payload, 'statedAmount'), field(body, 'amount'));
}

/** As text: a caller's number is kept as text, and an empty word as null. */
function same(kept: unknown, told: unknown): boolean {
  return wordOf(kept) === wordOf(told);
}

function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? `${value}`.trim() : '';
}

/** The same words once more, and that time they were taken, or may have been. */
function wasOtherwiseTaken(facts: Facts, refused: HttpEvent): boolean {
  const words = JSON.stringify(refused.body);
  return facts.evidence.history.some(
    (event) => event.path === refused.path && !isRefusal(event) && JSON.stringify(event.body) === words,
  );
}

function examineRefundAnswers(facts: Facts, seen: Examination): void {
  const promises = facts.changes('refund_settlements').filter(({ before }) => before === null);
  const byNumber = new Map(promises.map((change) => [text(imageOf(change), 'out_refund_no'), change]));
  const keys = new Set(promises.map((change) => imageOf(change).idempotency_key));
  for (const event of facts.posts(REFUND_REQUEST)) {
    const key = field(event.body, 'idempotencyKey');
    if (isSuccess(event)) {
      const promise = byNumber.get(String(field(event.answer, 'data', 'outRefundNo')));
      seen.examine(brokenPromise(event, promise));
    } else if (isRefusal(event) && typeof key === 'string' && !isTakenByKey(facts, key)) {
      seen.examine(keys.has(key) ? `${nameOf(event)}: refused and promised` : null);
    }
  }
}

function brokenPromise(event: HttpEvent, promise: RowChange | undefined): string | null {
  if (!promise || promise.committedAtMs > (event.returnedAtMs ?? Infinity))
    return `${nameOf(event)}: promised before its commit, or without one`;
  const wanted = fenOfYuan(wordOf(field(event.body, 'amount')));
  const promised = Number(imageOf(promise).refund_fen);
  return promised === wanted ? null : `${nameOf(event)}: ${wanted} fen were asked for, ${promised} promised`;
}

function isTakenByKey(facts: Facts, key: string): boolean {
  return facts
    .posts(REFUND_REQUEST)
    .some((event) => field(event.body, 'idempotencyKey') === key && !isRefusal(event));
}

/** I14: equal words get equal answers, whatever happened in between; other words under the same key are refused. */
export function answersAreIdempotent(facts: Facts): Verdict {
  const seen = new Examination('I14');
  for (const path of [ORDER_CREATED, NOTIFY]) {
    for (const events of groupBy(facts.posts(path), ({ body }) => JSON.stringify(body)).values()) {
      seen.examine(unequalAnswers(events, ({ answer }) => JSON.stringify(answer)));
    }
  }
  const refunds = facts
    .posts(REFUND_REQUEST)
    .filter(({ body }) => field(body, 'idempotencyKey') !== undefined);
  for (const events of groupBy(refunds, ({ body }) => String(field(body, 'idempotencyKey'))).values()) {
    examineKey(events, seen);
  }
  return seen.verdict();
}

/** What the key stands for is what was taken first; every other content is a conflict. */
function examineKey(events: readonly HttpEvent[], seen: Examination): void {
  const contents = [...groupBy(events, ({ body }) => JSON.stringify(body)).values()];
  for (const same of contents) seen.examine(unequalAnswers(same, identityOfRefund));
  const taken = contents.filter((same) => same.some(isSuccess));
  if (taken.length > 1) seen.examine(`${nameOf(events[0])}: one key was taken for different refunds`);
  const others = contents.filter((same) => taken.length > 0 && !taken.includes(same)).flat();
  for (const other of others) {
    if (isRefusal(other) && other.status !== TOO_MANY_REQUESTS && isLater(other, taken[0]))
      seen.examine(
        other.status === CONFLICT ? null : `${nameOf(other)}: another refund's key got ${other.status}`,
      );
  }
}

function unequalAnswers(
  events: readonly HttpEvent[],
  identityOf: (event: HttpEvent) => string,
): string | null {
  const successes = events.filter(isSuccess);
  if (new Set(successes.map(identityOf)).size > 1)
    return `${nameOf(events[0])}: equal requests, unequal answers`;
  const refused = events.find(
    (event) => isRefusal(event) && event.status !== TOO_MANY_REQUESTS && isLater(event, successes),
  );
  return refused ? `${nameOf(refused)}: taken, and later refused with ${refused.status}` : null;
}

function isLater(event: HttpEvent, than: readonly HttpEvent[] = []): boolean {
  return than.some((earlier) => isSuccess(earlier) && (earlier.returnedAtMs ?? Infinity) < event.calledAtMs);
}

/** What a refund is; its state goes on. */
function identityOfRefund({ answer }: HttpEvent): string {
  const data = field(answer, 'data');
  return JSON.stringify(['outRefundNo', 'outTradeNo', 'amount'].map((name) => field(data, name)));
}

function nameOf(event: HttpEvent | undefined): string {
  if (!event) return 'a request';
  const about = field(event.body, 'idempotencyKey') ?? field(event.body, 'outTradeNo');
  return `${event.method} ${event.path} ${String(about)} to ${event.replica} at ${event.calledAtMs}`;
}
