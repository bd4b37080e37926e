import { setTimeout as sleep } from 'node:timers/promises';
import { PACKAGE_FEN, USERS } from '../plan.ts';
import { query } from '../server.ts';
import type { Sale } from '../shop.ts';
import type { World } from '../world.ts';
import { pickReplica } from './fault.ts';
import type { Fault } from './fault.ts';

const NOTICE_COPIES = 64;
const APART_MS = 1_200;
/** Longer than the hot window of any watermark would be, and short enough for a run. */
const HELD_OPEN_MS = 12_000;
const STORM_REFUNDS = 50;
const STORM_FEN_MIN = 700;
const STORM_FEN_SPREAD = 800;
/** So little that all fifty would be paid, were they not one. */
const SAME_FEN = 50;
const GRANTED_WITHIN_MS = 15_000;
const FLOOD_ORDERS = 300;
const FLOOD_CALLERS = 16;

export const repeatNotice: Fault = async (world, chance) => {
  const { shop, functions, replicas } = world;
  const sale = shop.open('premium', chance.below(USERS));
  const payment = shop.pay(sale);
  const { outTradeNo, person, packageType } = sale;
  const row = { outTradeNo, person, packageType, amountFen: PACKAGE_FEN[packageType] };
  const copies = Array.from({ length: NOTICE_COPIES }, (_, copy) =>
    shop.notify(sale, payment, copy % 2 === 0 ? replicas[0] : replicas[1]),
  );
  const rest = [
    shop.orderCreated(sale, shop.anyUp(chance.below(2))),
    functions.insertOrder(row).then(() => functions.markPaid(outTradeNo, payment)),
    shop.callback(sale, shop.anyUp(chance.below(2))),
  ];
  await Promise.all([...copies, ...rest]);
};

/** The order lies in the spool of one replica, and its notice reaches the other. */
export const noticeFirst: Fault = (world, chance) =>
  world.alone(async () => {
    const { one, other } = pickReplica(world, chance);
    await one.proxy.refuse();
    try {
      const sale = world.shop.open('premium', chance.below(USERS));
      const payment = world.shop.pay(sale);
      await world.shop.orderCreated(sale, one);
      await world.shop.notify(sale, payment, other);
      await sleep(APART_MS);
    } finally {
      await one.proxy.pass();
    }
  });

export const commitLate: Fault = async (world, chance) => {
  const { shop, functions } = world;
  const sale = shop.open('premium', chance.below(USERS));
  const { outTradeNo, person, packageType } = sale;
  const isMade = await functions.insertOrder({
    outTradeNo,
    person,
    packageType,
    amountFen: PACKAGE_FEN[packageType],
  });
  // Away at this moment: the function falls back, and there is no row to hold.
  if (!isMade) return void (await shop.orderCreated(sale, shop.anyUp(0)));
  const payment = shop.pay(sale);
  await functions.markPaidLate(outTradeNo, payment, () => sleep(HELD_OPEN_MS));
};

export const stormRefunds: Fault = async (world, chance) => {
  const { shop, replicas } = world;
  const [many, one] = await Promise.all([
    grantedSale(world, chance.below(USERS)),
    grantedSale(world, chance.below(USERS)),
  ]);
  const fens = Array.from({ length: STORM_REFUNDS }, () => STORM_FEN_MIN + chance.below(STORM_FEN_SPREAD));
  const to = (at: number) => (at % 2 === 0 ? replicas[0] : replicas[1]);
  await Promise.all([
    ...fens.map((fen, at) =>
      shop.refundOnce(many.outTradeNo, fen, { key: `${many.outTradeNo}-storm-${at}`, to: to(at) }),
    ),
    ...fens.map((_, at) =>
      shop.refundOnce(one.outTradeNo, SAME_FEN, { key: `${one.outTradeNo}-same`, to: to(at) }),
    ),
  ]);
};

/** Much waits in one spool, and goes into the database at once while others are served. */
export const floodFromSpool: Fault = (world, chance) =>
  world.alone(async () => {
    const { one } = pickReplica(world, chance);
    const { shop } = world;
    await one.proxy.refuse();
    try {
      const users = Array.from({ length: FLOOD_ORDERS }, () => chance.below(USERS));
      const caller = async () => {
        for (let user = users.shift(); user !== undefined; user = users.shift()) {
          const sale = shop.open('premium', user);
          const payment = shop.pay(sale);
          await shop.orderCreated(sale, one);
          await shop.notify(sale, payment, one);
        }
      };
      await Promise.all(Array.from({ length: FLOOD_CALLERS }, caller));
    } finally {
      await one.proxy.pass();
    }
  });

/**
 * What is not as it should be: rows rescued with a wrong package and amount, given up too early, for nothing at all; and a
 * notice of a payment that never was.
 */
export const writeOddRows: Fault = async (world, chance) => {
  const { shop, functions } = world;
  const user = () => chance.below(USERS);
  const rescued = shop.open('premium', user());
  const rescuedPayment = shop.pay(rescued);
  await functions.insertOrder({ ...rescued, amountFen: 0, packageType: 'basic' });
  await functions.markPaid(rescued.outTradeNo, rescuedPayment);
  await shop.notify(rescued, rescuedPayment, shop.anyUp(chance.below(2)));

  const givenUp = shop.open('premium', user());
  await functions.insertOrder({ ...givenUp, amountFen: PACKAGE_FEN.premium, status: 'failed' });
  const latePayment = shop.pay(givenUp);
  await shop.callback(givenUp, shop.anyUp(chance.below(2)));
  await shop.notify(givenUp, latePayment, shop.anyUp(chance.below(2)));

  const free = shop.open('basic', user());
  await functions.insertOrder({ ...free, amountFen: 0, packageType: 'free' });

  const forged = shop.open('premium', user());
  await shop.orderCreated(forged, shop.anyUp(0));
  const madeUp = { transactionId: `4200${forged.outTradeNo}`, paidAtMs: Date.now() };
  await shop.notify(forged, madeUp, shop.anyUp(chance.below(2)));
};

export async function grantedSale(world: World, user: number): Promise<Sale> {
  const { shop, functions, root } = world;
  const sale = shop.open('premium', user);
  const payment = shop.pay(sale);
  const isMade = await functions.insertOrder({ ...sale, amountFen: PACKAGE_FEN.premium });
  if (!isMade) await shop.orderCreated(sale, shop.anyUp(0));
  await shop.callback(sale, shop.anyUp(0));
  await functions.markPaid(sale.outTradeNo, payment);
  const deadlineMs = performance.now() + GRANTED_WITHIN_MS;
  while (performance.now() < deadlineMs) {
    if (await isGranted(root, sale)) break;
    await sleep(50);
  }
  return sale;
}

export async function isGranted(root: World['root'], { outTradeNo }: Sale): Promise<boolean> {
  try {
    const rows = await query(root, 'SELECT id FROM entitlement_grants WHERE out_trade_no = ?', [outTradeNo]);
    return rows.length > 0;
  } catch {
    return false; // the server is away: nobody knows
  }
}
