import type { OrderFacts } from './facts.ts';
import { isWaiting, judge } from './judgement.ts';
import type { OrderTruth } from './order-book.ts';
import type { World } from './world.ts';

/** What the tables say about all orders of a run, counted without regard to what each story saw. */
export type Totals = {
  readonly orders: number;
  readonly acceptedOrders: number;
  readonly granted: number;
  readonly held: number;
  readonly waiting: number;
  readonly unpaid: number;
  /** Open exceptions by kind and reason, of held orders and of granted ones. */
  readonly reasons: ReadonlyMap<string, number>;
  /** Each must be empty; the values say which order or user. */
  readonly broken: Readonly<Record<BrokenPromise, readonly string[]>>;
};

export type BrokenPromise =
  | 'paid without grant and not held'
  | 'grant without paid'
  | 'granted twice'
  | 'lost'
  | 'held without a reason'
  | 'two orders of one transaction'
  | 'users not as their grants say'
  | 'not as its story promised';

type Entry = { readonly truth: OrderTruth; readonly facts: OrderFacts };
type UserRow = {
  id: string;
  payment_status: string | null;
  regenerate_count: number | null;
  credits: string | number | null;
  live_packages: string | null;
};

const OPENING_CREDITS = 3;

export async function countTotals(world: World): Promise<Totals> {
  const truths = world.book.all();
  const facts = await world.facts(truths);
  const entries = truths.flatMap((truth) => {
    const found = facts.get(truth.outTradeNo);
    return found ? [{ truth, facts: found }] : [];
  });
  const which = (filter: (entry: Entry) => boolean) =>
    entries.filter(filter).map(({ truth }) => `${truth.outTradeNo} (${truth.story})`);
  const isHeld = ({ facts: { grants, openExceptions } }: Entry) =>
    grants.length === 0 && openExceptions.length > 0;
  const sleeps = (entry: Entry) => isUngranted(entry) && !isHeld(entry) && isWaiting(entry.facts);
  return {
    orders: entries.length,
    acceptedOrders: which(({ truth }) => isAcknowledged(truth)).length,
    granted: which(({ facts: { grants } }) => grants.length > 0).length,
    held: which(isHeld).length,
    waiting: which(sleeps).length,
    unpaid: which((entry) => isUnpaid(entry) && !isHeld(entry) && !sleeps(entry)).length,
    reasons: countReasons(entries),
    broken: {
      'paid without grant and not held': which(
        (entry) => isPaid(entry) && isUngranted(entry) && !isHeld(entry) && !isWaiting(entry.facts),
      ),
      'grant without paid': which(
        (entry) => !isUngranted(entry) && !(isPaidRow(entry) && entry.truth.payment),
      ),
      'granted twice': which(({ facts: { grants, staged } }) => grants.length > 1 || staged > 1),
      lost: which(isLost),
      'held without a reason': which(({ facts }) =>
        facts.openExceptions.some(({ reason }) => !reason.trim()),
      ),
      'two orders of one transaction': await findSharedTransactions(world, entries),
      'users not as their grants say': await findWrongUsers(world, entries),
      'not as its story promised': entries.flatMap(({ truth, facts }) =>
        judge(truth, facts).map((complaint) => `${truth.outTradeNo} (${truth.story}): ${complaint}`),
      ),
    },
  };
}

function isAcknowledged({ acknowledged }: OrderTruth): boolean {
  return acknowledged['order-created'] + acknowledged.notify > 0;
}

function isUngranted({ facts }: Entry): boolean {
  return facts.grants.length === 0;
}

function isPaidRow({ facts }: Entry): boolean {
  return facts.rows.some(({ status }) => status === 'paid' || status === 'refunded');
}

/** By the testimony of either side. */
function isPaid(entry: Entry): boolean {
  return entry.truth.payment !== null || isPaidRow(entry);
}

function isUnpaid({ truth, facts }: Entry): boolean {
  return truth.payment === null && facts.rows.some(({ status }) => status === 'pending');
}

/** The backend said 200, and now there is neither a row, nor an exception, nor a message that still waits. */
function isLost({ truth, facts }: Entry): boolean {
  const isKept =
    facts.rows.length > 0 ||
    facts.openExceptions.length > 0 ||
    facts.inbox.some(({ status }) => status === 'pending');
  return isAcknowledged(truth) && !isKept;
}

function countReasons(entries: readonly Entry[]): Map<string, number> {
  const reasons = new Map<string, number>();
  for (const { kind, reason } of entries.flatMap(({ facts }) => facts.openExceptions)) {
    const label = `${kind}: ${withoutIds(reason)}`;
    reasons.set(label, (reasons.get(label) ?? 0) + 1);
  }
  return new Map([...reasons].sort(([a], [b]) => a.localeCompare(b)));
}

/** One reason for many orders is one line. */
function withoutIds(reason: string): string {
  return reason.replaceAll(/\b(?:user|order)-[\w-]+|\b\d{13,}\b/g, '…');
}

async function findSharedTransactions(world: World, entries: readonly Entry[]): Promise<string[]> {
  const transactions = entries.flatMap(({ truth }) => truth.payment?.transactionId ?? []);
  if (transactions.length === 0) return [];
  const shared = await world.database.rows<{ transaction_id: string }>(
    'SELECT transaction_id FROM payment_orders WHERE transaction_id IN (?) GROUP BY transaction_id HAVING COUNT(*) > 1',
    [transactions],
  );
  return shared.map((row) => row.transaction_id);
}

/** The package must be the highest live grant, and the credits what they were plus what the ledger gave. */
async function findWrongUsers(world: World, entries: readonly Entry[]): Promise<string[]> {
  const ids = [...new Set(entries.flatMap(({ facts }) => facts.grants.map((grant) => grant.user_id)))];
  if (ids.length === 0) return [];
  const users = await world.database.rows<UserRow>(
    `SELECT u.id, u.payment_status, u.regenerate_count,
            (SELECT SUM(g.regenerate_delta) FROM entitlement_grants g WHERE g.user_id = u.id) AS credits,
            (SELECT GROUP_CONCAT(DISTINCT g.package_type) FROM entitlement_grants g
              WHERE g.user_id = u.id AND g.entry = 'grant' AND NOT EXISTS
                (SELECT 1 FROM entitlement_grants r WHERE r.out_trade_no = g.out_trade_no AND r.entry = 'revocation')
            ) AS live_packages
       FROM users u WHERE u.id IN (?)`,
    [ids],
  );
  const known = new Set(users.map(({ id }) => id));
  const missing = ids.filter((id) => !known.has(id)).map((id) => `${id}: granted to, and not there`);
  return [...missing, ...users.flatMap((user) => judgeUser(user, world))];
}

function judgeUser(user: UserRow, world: World): string[] {
  const packages = (user.live_packages ?? '').split(',');
  const highest = ['premium', 'basic'].find((name) => packages.includes(name)) ?? 'free';
  const credits = (world.openingCredits.get(user.id) ?? OPENING_CREDITS) + Number(user.credits);
  return [
    ...(user.payment_status === highest ? [] : [`${user.id}: ${user.payment_status} instead of ${highest}`]),
    ...(user.regenerate_count === credits
      ? []
      : [`${user.id}: regenerate_count ${user.regenerate_count} instead of ${credits}`]),
  ];
}
