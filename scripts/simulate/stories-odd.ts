import {
  LEGACY_USER_ID,
  clientChosenAmount,
  customAmount,
  impossibleAmount,
  legacyUser,
  ownerlessKnownPayer,
  ownerlessNoPayer,
  rescuedWithoutAmount,
} from './scenarios.ts';
import { single } from './story.ts';
import type { Story } from './story.ts';
import { StoryFailed } from './world.ts';
import type { World } from './world.ts';

/** Cases in which the caller's word cannot be taken as it is. */
export const ODD_STORIES: readonly Story[] = [
  { name: 'rescued-premium', about: 'a rescue row "basic" with the premium amount', run: rescuedPremium },
  { name: 'rescued-completed', about: 'a rescue row of 0.00, its backup comes later', run: rescuedCompleted },
  single(
    'rescued-without-amount',
    'a rescue row of 0.00 and no backup',
    rescuedWithoutAmount,
    'row of 0.00, nothing else known: held with a reason',
  ),
  single(
    'client-chosen-amount',
    'premium for 0.01',
    clientChosenAmount,
    'premium ordered and paid with 0.01: held with a reason',
  ),
  single(
    'custom-amount',
    'no known package, an amount that is no price',
    customAmount,
    'insert rejected, backed up, paid: held with a reason',
  ),
  {
    name: 'price-without-package',
    about: 'no package, but exactly the price of one',
    run: priceWithoutPackage,
  },
  single(
    'ownerless-known-payer',
    'no user and no openid, paid by a customer',
    ownerlessKnownPayer,
    'ordered by nobody, paid by a known payer: granted to the payer',
  ),
  single(
    'ownerless-no-payer',
    'no user, no openid, no payer',
    ownerlessNoPayer,
    'ordered and paid by nobody known: held with a reason',
  ),
  single(
    'legacy-user',
    `the short user id ${LEGACY_USER_ID}`,
    legacyUser,
    `user id "${LEGACY_USER_ID}": taken as it is, granted`,
  ),
  { name: 'openids-by-case', about: 'two openids that differ only by case', run: openidsByCase },
  {
    name: 'row-and-backup-differ',
    about: 'the backup states another amount than the row',
    run: rowAndBackupDiffer,
  },
  { name: 'no-transaction-id', about: 'a notify without transactionId proves nothing', run: noTransactionId },
  { name: 'impossible-amounts', about: 'amounts that no order can cost', run: impossibleAmounts },
  { name: 'order-never-comes', about: 'a notify for an order nobody ever tells', run: orderNeverComes },
  { name: 'no-secret', about: 'a function without a configured secret', run: noSecret },
];

async function rescuedPremium(world: World): Promise<string> {
  const person = await world.knownPerson();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: 'db_unavailable', backup: 'lost' },
  );
  await world.pay(order, person.openid);
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  return `row "basic" of ${world.pricesFen.premium} fen: repaired to premium, granted`;
}

async function rescuedCompleted(world: World): Promise<string> {
  const person = await world.knownPerson();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: 'db_insert_failed', backup: 'later' },
  );
  await world.pay(order, person.openid, { amountUnknown: true });
  world.promise(order, { kind: 'held', by: ['payment_held'] });
  await world.untilKept([order]);
  await world.functions.backUp(order);
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  return 'row of 0.00 held, then completed by its backup: granted';
}

/** The row is rejected for want of a package; the amount says which one it is. */
async function priceWithoutPackage(world: World): Promise<string> {
  const person = await world.knownPerson();
  const event = { userId: person.id, openid: person.openid, amount: world.pricesFen.premium };
  const order = await world.order(event);
  await world.pay(order, person.openid);
  world.promise(order, { kind: 'granted', packageType: 'premium', userId: person.id });
  await world.untilKept([order]);
  return 'no package, the price of premium: premium granted';
}

async function openidsByCase(world: World): Promise<string> {
  const lower = world.ids.openid();
  const openids = [lower, `o${lower.slice(1).toUpperCase()}`, lower];
  const grantees: (string | undefined)[] = [];
  for (const openid of openids) {
    const order = await world.order({ packageType: 'basic', openid }, { outage: 'db_unavailable' });
    world.promise(order, { kind: 'granted', packageType: 'basic' });
    await world.until(world.patienceMs, async () => {
      const { rows } = await world.factsOf(order);
      return rows.length === 1 ? [] : ['no row in payment_orders'];
    });
    await world.pay(order, openid);
    await world.untilKept([order]);
    grantees.push((await world.factsOf(order)).grants[0]?.user_id);
  }
  const [first, second, again] = grantees;
  if (first === second) throw new StoryFailed('two openids that differ by case were taken for one user');
  if (first !== again) throw new StoryFailed('the same openid was taken for two users');
  return 'two users of one spelling but for case: each granted their own';
}

async function rowAndBackupDiffer(world: World): Promise<string> {
  const person = await world.knownPerson();
  const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
  const { body } = order.backup;
  await world.functions.backUp({ ...order, backup: { path: 'order-created', body: { ...body, amount: 1 } } });
  await world.pay(order, person.openid);
  world.promise(order, {
    kind: 'granted',
    packageType: 'premium',
    userId: person.id,
    alsoOpen: ['order_conflict'],
  });
  await world.untilKept([order]);
  return 'the backup says 0.01 and the row does not: row kept, operator told';
}

/** One stays unproven; the other is proven later, when its row turns paid. */
async function noTransactionId(world: World): Promise<string> {
  const person = await world.knownPerson();
  const place = async () => {
    const order = await world.order({ packageType: 'premium', userId: person.id, openid: person.openid });
    const payment = world.take(order, person.openid);
    await world.functions.wxpayOrderCallback(payment, { writeFails: true, withoutTransactionId: true });
    world.promise(order, { kind: 'waiting' });
    return { order, payment };
  };
  const unproven = await place();
  const proven = await place();
  await world.untilKept([unproven.order, proven.order]);
  await world.functions.markPaid(proven.payment);
  world.promise(proven.order, { kind: 'granted', packageType: 'premium', userId: person.id, maySleep: true });
  await world.untilKept([proven.order]);
  return 'stored, not granted on it alone; granted when the row was paid';
}

async function impossibleAmounts(world: World): Promise<string> {
  const stated = [29.9, '29.9', -1, 'abc'];
  const orders = await Promise.all(
    stated.map((amount) => impossibleAmount(amount)(world, world.random.fork())),
  );
  await world.untilKept(orders);
  return `${stated.map((amount) => JSON.stringify(amount)).join(', ')} fen: each an exception with a reason`;
}

async function orderNeverComes(world: World): Promise<string> {
  const person = world.stranger();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: 'db_unavailable', backup: 'lost' },
  );
  await world.pay(order, person.openid);
  world.promise(order, { kind: 'waiting' });
  await world.untilKept([order]);
  const { inbox } = await world.factsOf(order);
  return inbox.some(({ status }) => status === 'pending')
    ? 'its notice still waits in inbox_messages (until ORDER_WAIT_MINUTES)'
    : 'its notice waited in vain: held as order_unknown';
}

async function noSecret(world: World): Promise<string> {
  const person = world.stranger();
  const order = await world.order(
    { packageType: 'premium', userId: person.id, openid: person.openid },
    { outage: 'db_unavailable', backup: 'lost' },
  );
  world.promise(order, { kind: 'nothing' });
  for (const secret of ['', 'not-the-secret-of-this-backend']) {
    const { status, body } = await world.api.send(order.backup, secret);
    if (status !== 401 || body.error !== 'Unauthorized')
      throw new StoryFailed(`answered ${status} ${JSON.stringify(body.error)}`);
  }
  await world.untilKept([order]);
  return 'empty and wrong secret: 401, nothing stored';
}
