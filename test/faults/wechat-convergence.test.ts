import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insertOrderRow, newOutTradeNo, notifyBody, orderCreatedBody } from '../support/builders.js';
import { findMoneyFaults } from '../support/database.js';
import { readOrder } from '../support/payments.js';
import { openidOf, WechatpayBackend } from '../support/wechatpay-backend.js';
import type { FaultKind } from '../support/wechatpay-simulator/faults.ts';

const SEED = 20261123;
const CASES = 40;
const CASES_TIME_MS_MAX = 45_000;
/** After this many rounds of every job, with all faults healed, nothing may be left to do. */
const QUIET_TICKS = 2;
const DEADLINE_MINUTES = 121;
const AMOUNT_FEN = { basic: 1, premium: 2990 } as const;

/** What happens around one order. Each message may be lost (0) or duplicated (2). */
type Story = {
  readonly packageType: keyof typeof AMOUNT_FEN;
  readonly isPaid: boolean;
  readonly created: number;
  /** The row a cloud function writes when the order is made. */
  readonly row: boolean;
  /** What a cloud function writes when WeChat Pay calls it: it turns the row to paid, or rescues one. */
  readonly marked: 'no' | 'with amount' | 'with 0.00';
  readonly callbacks: number;
  readonly notices: number;
  /** A notice that comes before any money. */
  readonly isForged: boolean;
  /** Puts the events in order; the smallest first. */
  readonly ranks: readonly number[];
};

type Step = {
  readonly story: Story;
  readonly outTradeNo: string;
  readonly event: Event;
  readonly rank: number;
};
type Event = 'created' | 'row' | 'pay' | 'marked' | 'callback' | 'notice' | 'forged';

let backend: WechatpayBackend;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
});
afterAll(() => backend.stop());

/** Every job once, all at the same time, with whatever waits made due. */
async function tick(fault: FaultKind | null = null): Promise<void> {
  await backend.database.query("UPDATE inbox_messages SET available_at = NOW(3) WHERE status = 'pending'");
  await backend.discover();
  await backend.database.query('UPDATE order_queries SET due_at = NOW(3)');
  if (fault) backend.simulator.faults.next(fault);
  await Promise.all([backend.drain(), backend.ask(), backend.sweep()]);
}

/** Setting the clock forward would part it from the server's own, from which the age of a question comes. */
async function letDeadlinePass(outTradeNos: readonly string[]): Promise<void> {
  for (const table of ['payment_orders', 'order_queries']) {
    await backend.database.query(
      `UPDATE ${table} SET created_at = created_at - INTERVAL ? MINUTE WHERE out_trade_no IN (?)`,
      [DEADLINE_MINUTES, outTradeNos],
    );
  }
}

async function post(path: 'order-created' | 'notify', body: object): Promise<void> {
  await backend.application.post(path, body).expect(200);
}

/** The deployed function's reaction to a payment: it turns its row to paid, or writes one that says "basic". */
async function markAsFunctionDoes(outTradeNo: string, amount: string): Promise<void> {
  const { payment } = backend.simulator.ledger.getOrder(outTradeNo);
  if (!payment) return;
  const paid = {
    status: 'paid',
    transaction_id: payment.transactionId,
    paid_at: new Date(payment.successTimeMs),
  };
  const { database } = backend;
  await database.query('UPDATE payment_orders SET ? WHERE out_trade_no = ?', [paid, outTradeNo]);
  if ((await readOrder(database, outTradeNo)).order) return;
  const id = `order-${outTradeNo}`;
  await insertOrderRow(database, { ...paid, id, out_trade_no: outTradeNo, amount, package_type: 'basic' });
}

const yuan = (fen: number) => `${Math.floor(fen / 100)}.${String(fen % 100).padStart(2, '0')}`;

async function play({ story, outTradeNo, event }: Step): Promise<void> {
  const { packageType } = story;
  const amountFen = AMOUNT_FEN[packageType];
  const userId = `user-${outTradeNo}`;
  const { ledger } = backend.simulator;
  switch (event) {
    case 'created': {
      const names = { outTradeNo, userId, openid: openidOf(outTradeNo) };
      return post('order-created', orderCreatedBody({ ...names, amount: amountFen, packageType }));
    }
    case 'row': {
      if ((await readOrder(backend.database, outTradeNo)).order) return; // the function's insert is refused then
      const created_at = new Date(backend.simulator.clock.nowMs());
      const row = {
        out_trade_no: outTradeNo,
        amount: yuan(amountFen),
        package_type: packageType,
        created_at,
      };
      await insertOrderRow(backend.database, { ...row, _openid: openidOf(outTradeNo) });
      return;
    }
    case 'pay':
      return backend.pay(outTradeNo);
    case 'marked':
      return markAsFunctionDoes(outTradeNo, story.marked === 'with 0.00' ? '0.00' : yuan(amountFen));
    case 'callback': {
      const callback = backend.simulator.composePaymentCallback(outTradeNo);
      const { status } = await backend.simulator.postCallback(backend.simulator.settings.notifyUrl, callback);
      expect(status).toBe(200);
      return;
    }
    case 'notice': {
      const { transactionId } = ledger.getOrder(outTradeNo).payment ?? {};
      return post('notify', notifyBody({ outTradeNo }, { transactionId, openid: openidOf(outTradeNo) }));
    }
    case 'forged':
      return post('notify', notifyBody({ outTradeNo }));
  }
}

/** The events of a story in its order; what speaks of the payment never comes before it. */
function toSteps(story: Story, outTradeNo: string): Step[] {
  const events: Event[] = [
    ...Array.from({ length: story.created }, () => 'created' as const),
    ...(story.row ? ['row' as const] : []),
    ...(story.isForged ? ['forged' as const] : []),
  ];
  const afterPayment: Event[] = story.isPaid
    ? [
        ...(story.marked === 'no' ? [] : ['marked' as const]),
        ...Array.from({ length: story.callbacks }, () => 'callback' as const),
        ...Array.from({ length: story.notices }, () => 'notice' as const),
      ]
    : [];
  const payRank = story.ranks.at(-1) ?? 0;
  const rankOf = (n: number) => story.ranks[n % (story.ranks.length - 1)] ?? 0;
  const step = (event: Event, rank: number): Step => ({ story, outTradeNo, event, rank });
  return [
    ...events.map((event, n) => step(event, rankOf(n))),
    ...(story.isPaid ? [step('pay', payRank)] : []),
    ...afterPayment.map((event, n) => step(event, Math.max(payRank, rankOf(events.length + n)) + 1)),
  ];
}

/** Whether anything of the order ever reached the backend; of what did not, only the daily bill could tell. */
function isHeardOf(story: Story): boolean {
  const ofPayment = story.marked !== 'no' || story.callbacks > 0 || story.notices > 0;
  return story.created > 0 || story.row || (story.isPaid && (ofPayment || story.isForged));
}

async function findDifferences(story: Story, outTradeNo: string): Promise<string[]> {
  const { order, grants, exceptions } = await readOrder(backend.database, outTradeNo);
  const truth = backend.simulator.ledger.getOrder(outTradeNo);
  if (!isHeardOf(story)) return order || grants.length > 0 ? ['something was made of nothing'] : [];
  const { payment } = truth;
  if (!payment) {
    // With a row it was closed in time; a forged notice without one made nothing.
    const isRight = order
      ? order.status === 'failed' && truth.state === 'CLOSED'
      : story.created === 0 && !story.row;
    return isRight && grants.length === 0
      ? []
      : [`unpaid: ${String(order?.status)}, ${truth.state} at WeChat Pay, ${grants.length} grants`];
  }
  const lateMs = Math.abs(((order?.paid_at as Date | null)?.getTime() ?? 0) - payment.successTimeMs);
  const open = exceptions.filter(({ kind, status }) => status === 'open' && kind !== 'transaction_mismatch');
  return [
    ...(order?.status === 'paid' ? [] : [`status ${String(order?.status)}`]),
    ...(order?.amount === yuan(truth.totalFen) ? [] : [`amount ${String(order?.amount)}`]),
    ...(order?.transaction_id === payment.transactionId
      ? []
      : [`transaction ${String(order?.transaction_id)}`]),
    ...(lateMs <= 1_000 ? [] : [`paid_at differs by ${lateMs} ms`]),
    ...(grants.length === 1 ? [] : [`${grants.length} grants`]),
    ...(grants[0]?.package_type === story.packageType ? [] : [`granted ${String(grants[0]?.package_type)}`]),
    ...(grants[0]?.user_id === order?.user_id ? [] : ['granted to another user']),
    ...open.map(({ kind, reason }) => `open exception ${kind}: ${reason}`),
  ];
}

/** Plays the stories into one another, heals all faults, lets the time of unpaid orders run out, and compares. */
async function differencesAfter(
  stories: readonly Story[],
  during: readonly { readonly hasTick: boolean; readonly fault: FaultKind | null }[],
): Promise<string[]> {
  const orders = stories.map((story) => ({ story, outTradeNo: newOutTradeNo() }));
  for (const { story, outTradeNo } of orders) backend.placeOrder(outTradeNo, AMOUNT_FEN[story.packageType]);
  const steps = orders.flatMap(({ story, outTradeNo }) => toSteps(story, outTradeNo));
  for (const [n, step] of steps.sort((a, b) => a.rank - b.rank).entries()) {
    await play(step);
    const now = during[n % Math.max(during.length, 1)];
    if (now?.hasTick) await tick(now.fault);
  }
  await backend.heal();
  for (let n = 0; n < QUIET_TICKS; n += 1) await tick();
  await letDeadlinePass(orders.map(({ outTradeNo }) => outTradeNo));
  for (let n = 0; n < QUIET_TICKS; n += 1) await tick();
  const found = await Promise.all(
    orders.map(async ({ story, outTradeNo }) => {
      const differences = await findDifferences(story, outTradeNo);
      return differences.map((difference) => `${outTradeNo} ${JSON.stringify(story)}: ${difference}`);
    }),
  );
  return [...found.flat(), ...(await findMoneyFaults(backend.database))];
}

const STORY = fc.record<Story>({
  packageType: fc.constantFrom('basic', 'premium'),
  isPaid: fc.boolean(),
  created: fc.nat(2),
  row: fc.boolean(),
  marked: fc.constantFrom('no', 'with amount', 'with 0.00'),
  callbacks: fc.nat(2),
  notices: fc.nat(2),
  isForged: fc.boolean(),
  ranks: fc.array(fc.nat(100), { minLength: 10, maxLength: 10 }),
});
const DURING = fc.array(
  fc.record({
    hasTick: fc.boolean(),
    fault: fc.constantFrom(
      null,
      'error-before' as const,
      'error-after' as const,
      'bad-signature' as const,
      'html-502-before' as const,
      'too-many-before' as const,
      'reset-after' as const,
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

const flag = (mask: number, bit: number) => (mask >> bit) & 1;

describe('the tables and WeChat Pay’s ledger', () => {
  // A way of losing messages that nobody thought of is the one that loses a customer's money.
  it('agree after every subset of the messages was lost', async () => {
    const stories = Array.from({ length: 64 }, (_, mask): Story => ({
      packageType: flag(mask, 4) ? 'premium' : 'basic',
      isPaid: flag(mask, 5) === 1,
      created: flag(mask, 0),
      row: flag(mask, 1) === 1,
      callbacks: flag(mask, 2),
      notices: flag(mask, 3),
      marked: 'no',
      isForged: false,
      ranks: [0, 1, 2, 3, 4, 5],
    }));
    expect(await differencesAfter(stories, [])).toEqual([]);
  });

  // Duplicates, other orders of events and faults in between must change nothing in the end.
  it('agree whatever is lost, duplicated, reordered or not answered', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(STORY, { minLength: 2, maxLength: 3 }), DURING, async (stories, during) => {
        expect(await differencesAfter(stories, during)).toEqual([]);
      }),
      { seed: SEED, numRuns: CASES, interruptAfterTimeLimit: CASES_TIME_MS_MAX, endOnFailure: true },
    );
  });
});
