import { setTimeout as sleep } from 'node:timers/promises';
import { paidUpdate } from './cloud-functions.ts';
import { OUTAGES } from './function-habits.ts';
import type { PlacedOrder } from './function-habits.ts';
import { backedUp, twoCallbacks } from './scenarios.ts';
import { single } from './story.ts';
import type { Story } from './story.ts';
import { StoryFailed } from './world.ts';
import type { World } from './world.ts';

const COPIES = 64;
const DUPLICATES = 5;
const REORDERING_GAP_MS = 150;
/** The shorter one ends while the backend waits for the row, the longer one after that wait has been given up. */
const OPEN_TRANSACTION_MS = [3_000, 7_000] as const;

/** The same fact many times, at once, late, and in every order. */
export const REPEAT_STORIES: readonly Story[] = [
  {
    name: 'duplicates',
    about: 'every post several times, one after the other',
    run: async (world) => {
      const order = await backedUp()(world, world.random.fork());
      for (let copy = 1; copy < DUPLICATES; copy += 1) {
        await world.replay(order, 'order-created', 1);
        await world.replay(order, 'notify', 1);
      }
      await world.untilKept([order]);
      return `order-created and notify ${DUPLICATES} times each: granted once`;
    },
  },
  {
    name: 'concurrent-copies',
    about: `${COPIES} copies of one notify at once`,
    run: async (world) => {
      const order = await backedUp()(world, world.random.fork());
      await Promise.all([
        world.replay(order, 'notify', COPIES),
        world.replay(order, 'order-created', COPIES),
      ]);
      await world.untilKept([order]);
      return `${COPIES} notifies and ${COPIES} backups at once: granted once`;
    },
  },
  single(
    'two-callbacks',
    'one payment delivered twice at once',
    twoCallbacks,
    'two callbacks at once, both notified: granted once',
  ),
  {
    name: 'every-reordering',
    about: 'backup, direct row and notify in all six orders',
    run: everyReordering,
  },
  {
    name: 'open-transaction',
    about: 'the paying transaction commits after the notify',
    run: openTransaction,
  },
  {
    name: 'late-after-refund',
    about: 'a duplicate callback sets a refunded row back to paid',
    run: lateAfterRefund,
  },
];

type Step = { readonly name: string; readonly run: () => Promise<void> };

async function everyReordering(world: World): Promise<string> {
  const orders = await Promise.all([0, 1, 2, 3, 4, 5].map((index) => playReordered(world, index)));
  const atOnce = await playReordered(world, null);
  await world.untilKept([...orders, atOnce]);
  return 'backup, paid row, notify in six orders and all at once: granted once';
}

/** @param index which of the six orders; null for all three at once */
async function playReordered(world: World, index: number | null): Promise<PlacedOrder> {
  const person = await world.knownPerson();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: world.random.pick(OUTAGES), backup: 'later' },
  );
  const payment = world.take(order, person.openid);
  const steps: Step[] = [
    { name: 'backup', run: () => world.functions.backUp(order) },
    {
      name: 'row',
      run: async () => {
        await world.functions.insert(order.row);
        await world.functions.markPaid(payment);
      },
    },
    { name: 'notify', run: () => world.functions.notify(payment) },
  ];
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  if (index === null) {
    await Promise.all(steps.map(({ run }) => run()));
    return order;
  }
  for (const step of permutation(steps, index)) {
    await step.run();
    await sleep(REORDERING_GAP_MS);
  }
  return order;
}

/** The `index`th of the six orders of three things. */
function permutation<T>(of: readonly T[], index: number): T[] {
  const rest = [...of];
  const first = rest.splice(Math.floor(index / 2), 1);
  return [...first, ...(index % 2 === 0 ? rest : rest.reverse())];
}

async function openTransaction(world: World): Promise<string> {
  const orders = await Promise.all(OPEN_TRANSACTION_MS.map((openMs) => payInOpenTransaction(world, openMs)));
  await world.untilKept(orders);
  const seconds = OPEN_TRANSACTION_MS.map((openMs) => openMs / 1000).join(' and ');
  return `committed ${seconds} s after the notify: granted then, not before`;
}

async function payInOpenTransaction(world: World, openMs: number): Promise<PlacedOrder> {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
  const payment = world.take(order, person.openid);
  await world.database.inTransaction(async (connection) => {
    await connection.query(...paidUpdate(order.outTradeNo, payment.transactionId));
    await world.functions.notify(payment);
    await sleep(openMs);
    const { grants } = await world.factsOf(order);
    if (grants.length > 0) throw new StoryFailed('granted before the payment was committed');
  });
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
}

async function lateAfterRefund(world: World): Promise<string> {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
  const payment = world.take(order, person.openid);
  await world.functions.wxpayOrderCallback(payment);
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  await refund(world, order, payment.transactionId);
  // The callback finds a row that is not paid, so it writes and notifies as if for the first time.
  await world.functions.wxpayOrderCallback(payment);
  await world.functions.notify({ ...payment, payerOpenid: null });
  world.promise(order, { kind: 'refunded', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  return 'refunded, then delivered again: refunded, one grant, taken back once';
}

async function refund(world: World, { outTradeNo, row }: PlacedOrder, transactionId: string): Promise<void> {
  const refundId = world.ids.refundId();
  await world.database.inTransaction(async (connection) => {
    await connection.query(
      `INSERT INTO refunds
         (id, out_refund_no, out_trade_no, transaction_id, refund_amount, total_amount, status, reason, refunded_at)
       VALUES (?, ?, ?, ?, ?, ?, 'success', 'simulated', NOW())`,
      [refundId, refundId, outTradeNo, transactionId, row.amountYuan, row.amountYuan],
    );
    await connection.query("UPDATE payment_orders SET status = 'refunded' WHERE out_trade_no = ?", [
      outTradeNo,
    ]);
  });
}
