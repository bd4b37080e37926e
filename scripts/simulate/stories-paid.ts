import { CloudFunctions, PASSWORD_CANARY } from './cloud-functions.ts';
import { OUTAGES } from './function-habits.ts';
import type { Outage } from './function-habits.ts';
import {
  backedUp,
  callbackWriteFailed,
  nativeWithoutOpenid,
  neverPaid,
  notifyBeforeOrder,
  notifyLost,
  oddSpelling,
  plainJsapi,
  rowAlthoughBackedUp,
} from './scenarios.ts';
import { single } from './story.ts';
import type { Story } from './story.ts';
import { StoryFailed } from './world.ts';
import type { World } from './world.ts';

const SECONDS_MS = 1000;

/** The roads on which an honest payment reaches the backend. */
export const PAID_STORIES: readonly Story[] = [
  {
    name: 'plain-jsapi',
    about: 'row, callback, notify, as on most days',
    run: async (world) => {
      const order = await plainJsapi(world, world.random.fork());
      const [written] = (await world.factsOf(order)).rows;
      await world.untilKept([order]);
      const [row] = (await world.factsOf(order)).rows;
      if (row?.paid_at !== written?.paid_at) throw new StoryFailed('the backend changed paid_at');
      return 'row, paid, notified: granted, paid_at as the function wrote it';
    },
  },
  single(
    'native-without-openid',
    'ordered at the PC, paid with the phone',
    nativeWithoutOpenid,
    'no openid at order time: granted to its user',
  ),
  ...OUTAGES.map((outage) => ({
    name: outage.replaceAll('_', '-'),
    about: `the function's database fails: ${outage}`,
    run: (world: World) => backedUpThenPaid(world, outage),
  })),
  {
    name: 'no-password-kept',
    about: 'dbError carries a password; it must not be stored',
    run: noPasswordKept,
  },
  single(
    'odd-spelling',
    'amount as text, trade type in lower case',
    oddSpelling,
    'amount as text, trade type as clients write it: granted',
  ),
  single(
    'row-although-backed-up',
    'a timeout after the commit',
    rowAlthoughBackedUp,
    'row and backup under two ids: the row stays, granted once',
  ),
  { name: 'fallback-price', about: 'an instance that cannot read the prices', run: fallbackPrice },
  { name: 'notify-lost', about: 'only the sweep can find the payment', run: notifyLostStory },
  single(
    'callback-write-failed',
    'the row stays pending, only the notify says paid',
    callbackWriteFailed,
    'row left pending by the function: paid by the notify, granted',
  ),
  single(
    'notify-before-order',
    'a payment for an order nobody knows yet',
    notifyBeforeOrder,
    'notify first, backup after it: found each other, granted',
  ),
  { name: 'paid-after-failed', about: 'a late payment for an order given up', run: paidAfterFailed },
  single('never-paid', 'ordered, and that was all', neverPaid, 'stays pending, nothing granted'),
  { name: 'generation-unlocked', about: 'the pictures an order pays for', run: generationUnlocked },
  { name: 'basic-after-premium', about: 'a later, smaller package', run: basicAfterPremium },
];

/** The backup must become the row by itself: a callback that comes too soon would rescue the order and hide its loss. */
async function backedUpThenPaid(world: World, outage: Outage): Promise<string> {
  const person = world.stranger();
  const event = { packageType: 'premium', tradeType: 'JSAPI', userId: person.id, openid: person.openid };
  const order = await world.order(event, { outage });
  world.promise(order, { kind: 'unpaid' });
  await world.untilKept([order]);
  const [row] = (await world.factsOf(order)).rows;
  const isSame =
    row?.amount === order.row.amountYuan &&
    row.package_type === event.packageType &&
    row.trade_type === event.tradeType &&
    row.user_id === person.id &&
    (outage === 'db_exception' || row.id === order.row.id);
  if (!isSame) throw new StoryFailed(`the row is not the order that was backed up: ${JSON.stringify(row)}`);
  await world.pay(order, person.openid);
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  return `new user, ${outage === 'db_exception' ? 'no orderId, ' : ''}backed up: became a row, paid, granted`;
}

async function notifyLostStory(world: World): Promise<string> {
  const order = await notifyLost(world, world.random.fork());
  const startedMs = performance.now();
  await world.untilKept([order]);
  return `no notify: the sweep granted it after ${((performance.now() - startedMs) / SECONDS_MS).toFixed(1)} s`;
}

/** The price is the built-in one, which stays legitimate whatever the backend's prices are. */
async function fallbackPrice(world: World): Promise<string> {
  const person = await world.knownPerson();
  const readPrices = () => Promise.reject(new Error('the backend cannot be reached'));
  const cold = new CloudFunctions({ ...surroundings(world), readPrices });
  const order = await cold.wxpayOrder(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    world.story,
  );
  await world.pay(order, person.openid);
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  return 'prices out of reach: the built-in price was charged, granted';
}

function surroundings({ api, database, ids, book }: World) {
  return { api, database, ids, book };
}

async function noPasswordKept(world: World): Promise<string> {
  const order = await backedUp('db_insert_failed')(world, world.random.fork());
  await world.untilKept([order]);
  const hits = await world.database.rows<{ place: string }>(
    `SELECT 'inbox_messages' AS place FROM inbox_messages WHERE out_trade_no = ? AND CAST(payload AS CHAR) LIKE ?
      UNION SELECT 'error_logs' FROM error_logs WHERE error_message LIKE ? OR CAST(context AS CHAR) LIKE ?
      UNION SELECT 'exceptions' FROM exceptions WHERE reason LIKE ? OR CAST(detail AS CHAR) LIKE ?`,
    [order.outTradeNo, ...Array.from({ length: 5 }, () => `%${PASSWORD_CANARY}%`)],
  );
  if (hits.length > 0)
    throw new StoryFailed(`the password of dbError is in ${hits.map(({ place }) => place).join(', ')}`);
  return 'the password in dbError is in no table';
}

/** Nobody may give an order up while it can be paid; when somebody did, the money still counts. */
async function paidAfterFailed(world: World): Promise<string> {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
  await world.database.run("UPDATE payment_orders SET status = 'failed' WHERE out_trade_no = ?", [
    order.outTradeNo,
  ]);
  await world.pay(order, person.openid, { writeFails: true });
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  return 'set to failed, then paid: the payment wins, granted';
}

async function generationUnlocked(world: World): Promise<string> {
  const [owner, other] = [await world.knownPerson(), await world.knownPerson()];
  const generations = await Promise.all(
    [owner, other].map(async ({ id }) => {
      const generationId = world.ids.generationId();
      await world.database.run(
        "INSERT INTO generation_history (id, user_id, status) VALUES (?, ?, 'completed')",
        [generationId, id],
      );
      return generationId;
    }),
  );
  // Both are ordered by the same customer; the second belongs to somebody else.
  for (const generationId of generations) {
    const event = { packageType: 'premium', userId: owner.id, openid: owner.openid, generationId };
    const order = await world.order(event);
    await world.pay(order, owner.openid);
    world.promise(order, { kind: 'granted', packageType: 'premium', userId: owner.id });
    await world.untilKept([order]);
  }
  const unlocked = await world.database.rows<{ id: string; package_type: string | null }>(
    'SELECT id, package_type FROM generation_history WHERE id IN (?) AND unlocked_at IS NOT NULL',
    [generations],
  );
  const isRight = unlocked.length === 1 && unlocked[0]?.id === generations[0];
  if (!isRight || unlocked[0]?.package_type !== 'premium')
    throw new StoryFailed(`unlocked: ${JSON.stringify(unlocked)}`);
  return "granted: its own pictures unlocked, another user's not";
}

async function basicAfterPremium(world: World): Promise<string> {
  const person = await world.knownPerson();
  for (const packageType of ['premium', 'basic'] as const) {
    const order = await world.order({ packageType, userId: person.id, openid: person.openid });
    await world.pay(order, person.openid);
    world.promise(order, { kind: 'granted', packageType, userId: person.id });
    await world.untilKept([order]);
  }
  const [user] = await world.database.rows<{ payment_status: string }>(
    'SELECT payment_status FROM users WHERE id = ?',
    [person.id],
  );
  if (user?.payment_status !== 'premium')
    throw new StoryFailed(`the user is ${user?.payment_status} instead of premium`);
  return 'premium, then basic: both granted, the user stays premium';
}
