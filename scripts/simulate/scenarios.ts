import { setTimeout as sleep } from 'node:timers/promises';
import { OUTAGES } from './function-habits.ts';
import type { Outage, PlacedOrder } from './function-habits.ts';
import type { Random } from '../../test/support/random.ts';
import type { World } from './world.ts';

/** One order's life from the function's call on, with the promise that goes with it. Ends before the backend is done. */
export type Scenario = (world: World, random: Random) => Promise<PlacedOrder>;

/** The short user id of the system before; every run meets the same user. */
export const LEGACY_USER_ID = '104';
/** Long enough for a message to be handled, or not: either side may win. */
const GAP_MS_MAX = 60;

const gap = (random: Random) => sleep(random.below(GAP_MS_MAX));

export const plainJsapi: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const packageType = random.pick(['basic', 'premium'] as const);
  const order = await world.order({ packageType, userId: person.id, openid: person.openid });
  await gap(random);
  await world.pay(order, person.openid);
  return world.promise(order, { kind: 'granted', packageType, userId: person.id });
};

/** Ordered at the PC: the openid is known only when somebody has paid. */
export const nativeWithoutOpenid: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', tradeType: 'NATIVE', userId: person.id });
  await gap(random);
  await world.pay(order, person.openid);
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

export function backedUp(form?: Outage): Scenario {
  return async (world, random) => {
    const person = await world.knownPerson();
    const outage = form ?? random.pick(OUTAGES);
    const packageType = random.pick(['basic', 'premium'] as const);
    const order = await world.order({ packageType, userId: person.id, openid: person.openid }, { outage });
    await gap(random);
    await world.pay(order, person.openid);
    return world.promise(order, { kind: 'granted', packageType, userId: person.id });
  };
}

/** As clients of other platforms call: amounts as text, trade types in their own spelling. */
export const oddSpelling: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const event = {
    packageType: 'premium',
    userId: person.id,
    openid: '',
    amount: String(world.pricesFen.premium),
    tradeType: random.pick(['native', 'H5', 'APP', 'jsapi']),
  };
  const order = await world.order(event, { outage: random.pick(OUTAGES) });
  await gap(random);
  await world.pay(order, person.openid);
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

/** The insert was committed and its answer came too late. */
export const rowAlthoughBackedUp: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: random.pick(['db_exception', 'db_insert_failed']), commitsAnyway: true },
  );
  await gap(random);
  await world.pay(order, person.openid);
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

export const notifyLost: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
  await gap(random);
  await world.pay(order, person.openid, { notifyLost: true });
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

/** The callback read the row and could not write it: only the notify says that it is paid. */
export const callbackWriteFailed: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
  await gap(random);
  await world.pay(order, person.openid, { writeFails: true });
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

/** Nobody has the payer, so the rescue fails too: the notify comes alone, and the backup after it. */
export const notifyBeforeOrder: Scenario = async (world, random) => {
  const person = world.stranger();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: random.pick(OUTAGES), backup: 'later' },
  );
  await world.pay(order, person.openid);
  await gap(random);
  await world.functions.backUp(order);
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

/** Two deliveries of one callback at once: both find it unpaid, and both notify. */
export const twoCallbacks: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
  await gap(random);
  const payment = world.take(order, person.openid);
  await Promise.all([1, 2].map(() => world.functions.wxpayOrderCallback(payment)));
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

/** A row that says what was paid, and guesses "basic"; the backup of the order never arrived. */
export const rescuedWithAmount: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const packageType = random.pick(['basic', 'premium'] as const);
  const order = await world.order(
    { packageType, userId: person.id, openid: person.openid },
    { outage: 'db_unavailable', backup: 'lost' },
  );
  await world.pay(order, person.openid);
  return world.promise(order, { kind: 'granted', packageType, userId: person.id });
};

export const rescuedAndBackedUpLate: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: random.pick(OUTAGES), backup: 'later' },
  );
  await world.pay(order, person.openid, { findsNothing: true, amountUnknown: random.chance(0.5) });
  await gap(random);
  await world.functions.backUp(order);
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
};

export const rescuedWithoutAmount: Scenario = async (world) => {
  const person = await world.knownPerson();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: 'db_unavailable', backup: 'lost' },
  );
  await world.pay(order, person.openid, { amountUnknown: true });
  return world.promise(order, { kind: 'held', by: ['payment_held'] });
};

/** The client chooses the amount: premium for one fen is one call away. */
export const clientChosenAmount: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const event = { packageType: 'premium', userId: person.id, openid: person.openid, amount: 1 };
  const order = await world.order(event, random.chance(0.5) ? { outage: random.pick(OUTAGES) } : {});
  await untilRow(world, order);
  await world.pay(order, person.openid);
  return world.promise(order, { kind: 'held', by: ['payment_held'] });
};

/** No package, or one that the table does not know: its insert is rejected, by the very column. */
export const customAmount: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const packageType = random.chance(0.5) ? 'vip' : undefined;
  const amount = world.oddAmountFen();
  const order = await world.order({ packageType, userId: person.id, openid: person.openid, amount });
  await untilRow(world, order);
  await world.pay(order, person.openid);
  return world.promise(order, { kind: 'held', by: ['package_unknown', 'payment_held'] });
};

export const ownerlessKnownPayer: Scenario = async (world, random) => {
  const payer = await world.knownPerson();
  const order = await world.order(
    { packageType: 'premium', tradeType: 'NATIVE' },
    { outage: random.pick(OUTAGES) },
  );
  await gap(random);
  await world.pay(order, payer.openid);
  return world.promise(order, { kind: 'granted', packageType: 'premium', userId: payer.id });
};

export const ownerlessNoPayer: Scenario = async (world, random) => {
  const order = await world.order(
    { packageType: 'premium', tradeType: 'NATIVE', openid: '' },
    { outage: random.pick(OUTAGES) },
  );
  await untilRow(world, order);
  await world.pay(order, null);
  return world.promise(order, { kind: 'held', by: ['payment_held'] });
};

export const legacyUser: Scenario = async (world, random) => {
  const order = await world.order(
    { packageType: 'basic', tradeType: 'NATIVE', userId: LEGACY_USER_ID },
    { outage: random.pick(OUTAGES) },
  );
  await untilRow(world, order);
  await world.pay(order, null);
  return world.promise(order, { kind: 'granted', packageType: 'basic', userId: LEGACY_USER_ID });
};

/** Refused by the notice's own rules, although answered with 200: kept for an operator. */
export function impossibleAmount(stated?: number | string): Scenario {
  return async (world, random) => {
    const person = await world.knownPerson();
    const amount = stated ?? random.pick(['29.9', 29.9, -1, 'abc']);
    const event = { packageType: 'premium', userId: person.id, openid: person.openid, amount };
    const order = await world.order(event, { outage: random.pick(OUTAGES) });
    return world.promise(order, { kind: 'held', by: ['impossible_amount'] });
  };
}

export const neverPaid: Scenario = async (world, random) => {
  const person = await world.knownPerson();
  const habits = random.chance(0.5) ? { outage: random.pick(OUTAGES) } : {};
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    habits,
  );
  return world.promise(order, { kind: 'unpaid' });
};

/** The next step needs the row that a backup becomes; without it the callback would rescue the order instead. */
async function untilRow(world: World, order: PlacedOrder): Promise<void> {
  await world.until(world.patienceMs, async () => {
    const { rows } = await world.factsOf(order);
    return rows.length > 0 ? [] : [`${order.outTradeNo}: no row in payment_orders`];
  });
}
