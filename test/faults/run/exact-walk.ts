import { setTimeout as sleep } from 'node:timers/promises';
import { grantedSale, isGranted } from './faults/traffic-faults.ts';
import { PACKAGE_FEN } from './plan.ts';
import { MOMENTS } from './replica.ts';
import type { Moment } from './replica.ts';
import { query } from './server.ts';
import type { Sale } from './shop.ts';
import { whyNoStrace } from './strace.ts';
import type { World } from './world.ts';

/** A life has fewer moments than this; jobs in the background commit as well, and are met on the way. */
const MOMENTS_MAX = 12;
const LIFE_WITHIN_MS = 8_000;
const SPOOLED = 6;

/** One order's life as far as one request drives it. */
type Life = {
  readonly name: string;
  /** What is there before the process may die. */
  readonly prepare: (world: World) => Promise<Sale>;
  readonly act: (world: World, sale: Sale) => Promise<unknown>;
  /** Nothing more is to be done for it. */
  readonly isDone: (world: World, sale: Sale) => Promise<boolean>;
};

const LIVES: readonly Life[] = [
  {
    name: 'order-created',
    prepare: async ({ shop }) => shop.open('premium', 1),
    act: ({ shop, replicas }, sale) => shop.orderCreated(sale, replicas[0]),
    isDone: ({ root }, { outTradeNo }) =>
      has(root, 'SELECT id FROM payment_orders WHERE out_trade_no = ?', outTradeNo),
  },
  {
    name: 'notify',
    prepare: async ({ shop, functions }) => {
      const sale = shop.open('premium', 2);
      await functions.insertOrder({ ...sale, amountFen: PACKAGE_FEN.premium });
      return sale;
    },
    act: ({ shop, replicas }, sale) => shop.notify(sale, shop.pay(sale), replicas[0]),
    isDone: ({ root }, sale) => isGranted(root, sale),
  },
  {
    name: 'refund',
    prepare: (world) => grantedSale(world, 3),
    act: ({ shop, replicas }, { outTradeNo }) =>
      shop.refundOnce(outTradeNo, PACKAGE_FEN.premium, { key: `${outTradeNo}-walk`, to: replicas[0] }),
    isDone: ({ root }, { outTradeNo }) =>
      has(root, "SELECT id FROM payment_orders WHERE status = 'refunded' AND out_trade_no = ?", outTradeNo),
  },
];

/** Kills one replica, the only one that runs, before and after each COMMIT of a life and at each sync of its spool. */
export async function walkExactPoints(world: World, say: (text: string) => void): Promise<void> {
  const [walker, other] = world.replicas;
  await other.terminate();
  for (const life of LIVES) {
    for (const moment of Object.keys(MOMENTS) as Moment[]) {
      say(`walking ${life.name}, ${moment}`);
      await walkMoments(world, life, moment);
    }
  }
  const reason = whyNoStrace();
  if (reason) world.notRun.set('F2 at fsync', reason);
  else {
    say('walking the syncs of the spool');
    await walkAppends(world);
    await walkDrain(world);
  }
  if (!walker.isUp) await walker.start();
  await other.start();
}

async function walkMoments(world: World, life: Life, moment: Moment): Promise<void> {
  const [walker] = world.replicas;
  for (let nth = 1; nth <= MOMENTS_MAX; nth += 1) {
    const sale = await life.prepare(world);
    const over = watch(() => life.isDone(world, sale));
    const acted = life.act(world, sale);
    const isKilled = await walker.killAt(moment, nth, over.isOver);
    over.end();
    await acted;
    if (!isKilled) return;
    await walker.start();
  }
}

/** The spool is written while the database is away: before an answer, and when a message has left it. */
async function walkAppends(world: World): Promise<void> {
  const [walker] = world.replicas;
  await walker.proxy.refuse();
  for (let nth = 1; nth <= MOMENTS_MAX; nth += 1) {
    let isAnswered = false;
    const sale = world.shop.open('premium', 4);
    const payment = world.shop.pay(sale);
    const act = async () => {
      await world.shop.orderCreated(sale, walker);
      await world.shop.notify(sale, payment, walker);
      isAnswered = true;
    };
    const killed = walker.killAtSync(nth, () => isAnswered, act);
    if (!(await killed)) break;
    await walker.start();
  }
  await walker.proxy.pass();
}

async function walkDrain(world: World): Promise<void> {
  const [walker] = world.replicas;
  for (let nth = 1; nth <= MOMENTS_MAX; nth += 1) {
    await walker.proxy.refuse();
    for (let count = 0; count < SPOOLED; count += 1) {
      const sale = world.shop.open('premium', 5);
      await world.shop.orderCreated(sale, walker);
    }
    const over = watch(async () => (await walker.health())?.spool.depth === 0);
    const isKilled = await walker.killAtSync(nth, over.isOver, () => walker.proxy.pass());
    over.end();
    if (!isKilled) break;
    await walker.start();
  }
  await walker.proxy.pass();
}

/** Looks again and again whether something is so, until it is, or the time of a life is over. */
function watch(isSo: () => Promise<boolean>): { isOver(): boolean; end(): void } {
  let isOver = false;
  const look = async () => {
    const deadlineMs = performance.now() + LIFE_WITHIN_MS;
    while (!isOver && performance.now() < deadlineMs) {
      if (await isSo()) break;
      await sleep(20);
    }
    isOver = true;
  };
  void look();
  return { isOver: () => isOver, end: () => void (isOver = true) };
}

async function has(root: World['root'], sql: string, outTradeNo: string): Promise<boolean> {
  return (await query(root, sql, [outTradeNo])).length > 0;
}
