import type { Row, RowChange } from './evidence.ts';
import { imageOf } from './binlog.ts';
import { BOUGHT, fenOfYuan, groupBy, text } from './facts.ts';
import type { Facts, Transaction } from './facts.ts';
import { Examination } from './verdict.ts';
import type { Verdict } from './verdict.ts';

const RANKS = ['free', 'basic', 'premium'];
/** What a package gives, by the contract. */
const CREDITS: Readonly<Record<string, number>> = { basic: 5, premium: 20 };
const OPENING_CREDITS = 3;
const PAID_STATES = ['paid', 'refunded'];
/** Lines of operators have a key of their own in the place of an order. */
const MANUAL = 'manual';

/**
 * I4: a paid order has one grant and a grant has its paid order, at quiet; never two, at any point of the log; and the backend
 * never commits the one without the other.
 */
export function entitlementsAreExactlyOnce(facts: Facts): Verdict {
  const seen = new Examination('I4');
  for (const { out_trade_no, status } of facts.rows('payment_orders')) {
    if (status !== 'paid') continue;
    const outTradeNo = out_trade_no ?? '';
    const isSettled = facts.hasLine(outTradeNo, 'grant') || facts.isHeld(outTradeNo);
    seen.examine(isSettled ? null : `${outTradeNo} is paid, and neither granted nor held`);
  }
  for (const line of facts.rows('entitlement_grants')) {
    if (line.entry !== 'grant' || line.origin === MANUAL) continue;
    const status = facts.order(text(line, 'out_trade_no'))?.status ?? 'missing';
    seen.examine(
      PAID_STATES.includes(status) ? null : `${line.out_trade_no} was granted, and its order is ${status}`,
    );
  }
  for (const line of facts.rows('entitlement_grants')) {
    if (line.entry !== 'revocation' || line.origin === MANUAL) continue;
    const status = facts.order(text(line, 'out_trade_no'))?.status ?? 'missing';
    seen.examine(
      status === 'refunded'
        ? null
        : `what ${line.out_trade_no} gave was taken back, and its order is ${status}`,
    );
  }
  examineLog(facts.changes('entitlement_grants'), seen);
  for (const transaction of facts.transactions) examineSettling(facts, transaction, seen);
  return seen.verdict();
}

/** A function turns a row to paid in a transaction of that row alone; the backend, in whatever else, settles the order in the same one. */
function examineSettling(facts: Facts, { number, changes }: Transaction, seen: Examination): void {
  for (const { table, before, after } of changes) {
    const isPaid = before?.status !== 'paid' && after?.status === 'paid';
    if (table !== 'payment_orders' || !before || !isPaid) continue;
    const outTradeNo = text(after, 'out_trade_no');
    const byFunction =
      facts.wasWritten(outTradeNo, 'order_paid') || facts.wasWritten(outTradeNo, 'order_paid_tried');
    if (changes.length === 1 && byFunction) continue;
    const isSettled =
      changes.some(
        (other) => other.table === 'entitlement_grants' && other.after?.out_trade_no === outTradeNo,
      ) ||
      changes.some((other) => other.table === 'exceptions' && other.after?.subject === outTradeNo) ||
      facts.hasException(outTradeNo, ['payment_held']);
    seen.examine(
      isSettled ? null : `transaction ${number} turned ${outTradeNo} to paid, and settled nothing`,
    );
  }
}

function examineLog(changes: readonly RowChange[], seen: Examination): void {
  const live = new Set<string>();
  for (const change of changes) {
    const line = imageOf(change);
    const key = `${line.entry} of ${line.out_trade_no}`;
    if (change.before !== null) seen.examine(`a line of the ledger was changed: ${key}`);
    else seen.examine(live.has(key) ? `two lines were live at once: ${key}` : null);
    live.add(key);
  }
}

type Account = {
  /** The package it had before the first change in the log. */
  opening: string;
  count: number;
  hadRevocation: boolean;
};

/**
 * I5: what a user has is what the ledger says. Each transaction moves the credits by just what its lines say: nobody consumes
 * any in a run. They are never negative; at quiet the package is the highest live grant.
 */
export function usersMatchTheLedger(facts: Facts): Verdict {
  const seen = new Examination('I5');
  const accounts = new Map<string, Account>();
  for (const transaction of facts.transactions) examineTransaction(transaction, accounts, seen);
  const lines = groupBy(facts.rows('entitlement_grants'), (line) => text(line, 'user_id'));
  for (const user of facts.rows('users')) {
    seen.examine(wrongPackage(user, lines.get(text(user, 'id')) ?? [], accounts.get(text(user, 'id'))));
  }
  return seen.verdict();
}

function examineTransaction(
  { number, changes }: Transaction,
  accounts: Map<string, Account>,
  seen: Examination,
): void {
  const moved = new Map<string, number>();
  const add = (id: string, credits: number) => moved.set(id, (moved.get(id) ?? 0) + credits);
  for (const change of changes) {
    const row = imageOf(change);
    if (change.table === 'users') {
      const account = follow(accounts, change);
      const now = creditsOf(row);
      if (now < 0) seen.examine(`the user ${row.id} had ${now} credits`);
      add(text(row, 'id'), now - account.count);
      account.count = now;
    }
    if (change.table === 'entitlement_grants' && change.before === null) {
      add(text(row, 'user_id'), -Number(row.regenerate_delta));
      const account = accounts.get(text(row, 'user_id'));
      if (account && row.entry === 'revocation') account.hadRevocation = true;
    }
  }
  for (const [id, difference] of moved) {
    const complaint = `the user ${id} got ${difference} credits more than transaction ${number} has lines for`;
    seen.examine(difference === 0 ? null : complaint);
  }
}

function follow(accounts: Map<string, Account>, change: RowChange): Account {
  const row = imageOf(change);
  const known = accounts.get(text(row, 'id'));
  if (known) return known;
  // One that is made begins with nothing but what the columns give everybody.
  const account = {
    opening: change.before?.payment_status ?? 'free',
    count: change.before ? creditsOf(change.before) : OPENING_CREDITS,
    hadRevocation: false,
  };
  accounts.set(text(row, 'id'), account);
  return account;
}

function creditsOf(row: Row): number {
  return Number(row.regenerate_count ?? 0);
}

function wrongPackage(user: Row, lines: readonly Row[], account: Account | undefined): string | null {
  const revoked = new Set(
    lines.filter(({ entry }) => entry === 'revocation').map((line) => line.out_trade_no),
  );
  const live = lines.filter(
    ({ entry, out_trade_no, origin }) =>
      entry === 'grant' && origin !== 'fulfilled_earlier' && !revoked.has(out_trade_no),
  );
  const highest = highestOf(live.map((line) => text(line, 'package_type')));
  const opening = account?.opening ?? user.payment_status ?? 'free';
  const is = user.payment_status ?? 'free';
  // A revocation takes a package back to the highest grant that is left, also one that the user came with.
  const allowed = [highestOf([highest, opening]), ...(revoked.size > 0 ? [highest] : [])];
  return allowed.includes(is) ? null : `the user ${user.id} is ${is}, and the ledger says ${highest}`;
}

function highestOf(packages: readonly string[]): string {
  return RANKS[Math.max(0, ...packages.map((name) => RANKS.indexOf(name)))] ?? 'free';
}

/**
 * I6: each grant of an order rests on money: WeChat Pay's own, to the fen, or a row that a function turned to paid. It gives
 * what the order is about, to whom the order is of.
 */
export function grantsHaveMoney(facts: Facts): Verdict {
  const seen = new Examination('I6');
  for (const line of facts.rows('entitlement_grants')) {
    if (line.entry !== 'grant') continue;
    // Nobody grants by hand in a run, and its tables were empty when they were made.
    if (line.origin === 'payment') seen.examine(withoutMoney(facts, line) ?? otherThanOrdered(facts, line));
    else seen.examine(`${line.out_trade_no} was granted as ${line.origin}, and nobody did that`);
  }
  return seen.verdict();
}

function otherThanOrdered(facts: Facts, line: Row): string | null {
  const outTradeNo = text(line, 'out_trade_no');
  const order = facts.order(outTradeNo);
  if (!order) return `${outTradeNo} was granted, and there is no such order`;
  const expected: [string, unknown, unknown][] = [
    ['user', line.user_id, order.user_id],
    ['package', line.package_type, order.package_type],
    ['bought package', line.package_type, BOUGHT[facts.cost(order)]],
    ['credits', Number(line.regenerate_delta), CREDITS[text(line, 'package_type')]],
  ];
  const wrong = expected.filter(([, is, was]) => is !== was);
  const words = wrong.map(([name, is, was]) => `the ${name} ${String(is)} instead of ${String(was)}`);
  return wrong.length === 0 ? null : `${outTradeNo} was granted with ${words.join(', ')}`;
}

function withoutMoney(facts: Facts, line: Row): string | null {
  const outTradeNo = text(line, 'out_trade_no');
  const payment = facts.payment(outTradeNo);
  if (!payment && facts.wasWritten(outTradeNo, 'order_paid')) return null;
  if (!payment) return `${outTradeNo} was granted, and WeChat Pay knows no payment of it`;
  const order = facts.order(outTradeNo);
  if (!order) return `${outTradeNo} was granted, and there is no such order`;
  if (fenOfYuan(order.amount) !== payment.amountFen)
    return `${outTradeNo} was granted for ${order.amount} yuan, and ${payment.amountFen} fen were paid`;
  const isSame = line.transaction_id === null || line.transaction_id === payment.transactionId;
  return isSame
    ? null
    : `${outTradeNo} was granted by ${line.transaction_id}, paid by ${payment.transactionId}`;
}
