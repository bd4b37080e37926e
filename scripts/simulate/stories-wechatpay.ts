import type { NoticePlan } from '../../test/support/wechatpay-simulator/settings.ts';
import type { Answer } from './backend-api.ts';
import type { PlacedOrder } from './function-habits.ts';
import type { Lab, LabStory } from './lab.ts';
import type { Package } from './order-book.ts';
import { StoryFailed } from './world.ts';

/**
 * The first question about an order is asked at the age of 45 s, and the next one at 5 min: these are nearly that old,
 * and young enough to be found in the table before.
 */
export const NEARLY_ASKED_SECONDS = 41;
/** Late enough to tell the time of the payment from the time of its message. */
const LATE_MS = 2_000;
const COPIES = 5;
const SECOND_MS = 1000;

/** A payment reaches the backend by WeChat Pay's own word, whatever the functions did. */
export const WECHATPAY_STORIES: readonly LabStory[] = [
  { name: 'found-by-asking', about: 'neither callback nor notify: WeChat Pay is asked', run: foundByAsking },
  { name: 'built-from-callback', about: 'no row, no backup, only the callback', run: builtFromCallback },
  { name: 'callbacks-repeated', about: 'copies, redeliveries, both keys, at once', run: callbacksRepeated },
  { name: 'callback-before-order', about: 'the callback first, the order long after', run: callbackFirst },
  { name: 'status-on-read', about: 'somebody looks before any message came', run: statusOnRead },
  { name: 'rescued-and-asked', about: 'a rescue row "basic" of 0.00', run: rescuedAndAsked },
  { name: 'forged-notify', about: 'a notify for an order that nobody paid', run: forgedNotify },
  { name: 'amount-differs', about: 'WeChat Pay was paid another amount', run: amountDiffers },
  { name: 'refunded-before-grant', about: 'the money went back unseen', run: refundedBeforeGrant },
];

async function foundByAsking(lab: Lab): Promise<string> {
  const habits = { madeSecondsAgo: NEARLY_ASKED_SECONDS };
  const placed = [await lab.orderPackage('basic', habits), await lab.orderPackage('premium', habits)];
  const native = await lab.world.knownPerson();
  const scanned = await lab.order({ packageType: 'premium', tradeType: 'NATIVE', userId: native.id }, habits);
  const startedMs = performance.now();
  const orders = [...placed, { order: scanned, userId: native.id }].map(({ order, userId }) => {
    lab.pay(order);
    return promiseGrant(lab, order, { userId, packageType: order.row.packageType as Package });
  });
  await lab.untilKept(orders);
  const seconds = ((performance.now() - startedMs) / SECOND_MS).toFixed(1);
  return `nobody told: asked, and granted after ${seconds} s with its time and amount`;
}

async function builtFromCallback(lab: Lab): Promise<string> {
  const orders = await Promise.all(
    (['basic', 'premium'] as const).map(async (packageType) => {
      const { order, userId } = await lab.orderPackage(packageType, neverWritten());
      lab.pay(order, { notice: { delayMs: LATE_MS } });
      return promiseGrant(lab, order, { packageType, userId });
    }),
  );
  await lab.untilKept(orders);
  return 'no row and no backup: built from the callback, granted to its payer';
}

/** The same payment by every road at once. */
async function callbacksRepeated(lab: Lab): Promise<string> {
  const copies = { copies: COPIES, hasOwnIds: true };
  const { order, userId } = await lab.orderPackage('premium');
  lab.pay(order, { notice: copies });
  await lab.simulator.settle();
  lab.simulator.notifier.redeliver(order.outTradeNo);
  promiseGrant(lab, order, { userId, packageType: 'premium' });

  const other = await lab.orderPackage('basic');
  const payment = lab.pay(other.order);
  await Promise.all([
    ...lab.simulator.keys.platform.map(({ kind }) =>
      lab.simulator.postCallback(
        lab.simulator.settings.notifyUrl,
        lab.simulator.composePaymentCallback(other.order.outTradeNo, { signedBy: kind }),
      ),
    ),
    lab.callFunction(payment),
    lab.api.orderStatus(other.order.outTradeNo),
  ]);
  promiseGrant(lab, other.order, { userId: other.userId, packageType: 'basic' });

  await lab.simulator.settle();
  await lab.untilKept([order, other.order]);
  expectDelivered(lab, order, copies);
  return `${2 * COPIES} deliveries, both keys, beside notify and query: granted once`;
}

/** All copies and their redelivery, none of them more than once. */
function expectDelivered(
  lab: Lab,
  { outTradeNo }: PlacedOrder,
  { copies }: Pick<NoticePlan, 'copies'>,
): void {
  const deliveries = lab.simulator.notifier.deliveries.filter(({ subject }) => subject === outTradeNo);
  const refused = deliveries.filter(({ isDelivered }) => !isDelivered);
  if (deliveries.length === 2 * copies && refused.length === 0) return;
  const statuses = refused.map(({ status, error }) => status ?? error).join(', ');
  throw new StoryFailed(`${deliveries.length} deliveries, not taken in: ${statuses || 'none'}`);
}

async function callbackFirst(lab: Lab): Promise<string> {
  const placed = await Promise.all([0, 1, 2].map(() => lab.orderPackage('premium', neverWritten('later'))));
  lab.simulator.notifier.hold();
  const payments = placed.map(({ order }) => lab.pay(order, { notice: {} }));
  lab.simulator.notifier.release('reversed');
  await lab.simulator.settle();
  const orders = placed.map(({ order, userId }) =>
    promiseGrant(lab, order, { userId, packageType: 'premium' }),
  );
  await lab.untilKept(orders);
  // The row is refused by then, the backup finds its order there, and the function sees that it is paid.
  for (const { order } of placed) {
    await lab.world.functions.insert(order.row);
    await lab.world.functions.backUp(order);
  }
  await Promise.all(payments.map((payment) => lab.world.functions.wxpayOrderCallback(payment)));
  await lab.untilKept(orders);
  return 'callbacks in reverse, then rows, backups and notifies: granted once';
}

async function statusOnRead(lab: Lab): Promise<string> {
  const paid = await lab.orderPackage('premium');
  const unseen = await lab.orderPackage('basic', neverWritten());
  const unpaid = await lab.orderPackage('premium');
  for (const { order, userId } of [paid, unseen]) {
    lab.pay(order);
    const { outTradeNo, row } = order;
    expectStatus(await lab.api.orderStatus(outTradeNo), { status: 'paid', granted: true });
    promiseGrant(lab, order, { userId, packageType: row.packageType as Package });
  }
  expectStatus(await lab.api.orderStatus(unpaid.order.outTradeNo), { status: 'pending', granted: false });
  lab.promise(unpaid.order, { kind: 'unpaid' });
  await lab.untilKept([paid.order, unseen.order, unpaid.order]);
  return 'paid and granted at the first look, also without a row; unpaid: pending';
}

function expectStatus({ status, body }: Answer, expected: { status: string; granted: boolean }): void {
  const data = body.data as { status?: unknown; granted?: unknown } | undefined;
  if (status === 200 && data?.status === expected.status && data.granted === expected.granted) return;
  throw new StoryFailed(`the first look shows ${status}: ${JSON.stringify(data ?? body)}`);
}

async function rescuedAndAsked(lab: Lab): Promise<string> {
  const { order, userId } = await lab.orderPackage('premium', neverWritten());
  await lab.callFunction(lab.pay(order), { amountUnknown: true });
  promiseGrant(lab, order, { userId, packageType: 'premium' });
  await lab.untilKept([order]);
  return "row of 0.00: asked, premium by WeChat Pay's amount, granted";
}

/** Whoever has the secret can say that anything was paid: only WeChat Pay knows. */
async function forgedNotify(lab: Lab): Promise<string> {
  const { order } = await lab.orderPackage('premium');
  const forged = { transactionId: lab.world.ids.transactionId(), payerOpenid: order.row.openid };
  await lab.world.functions.notify({ ...forged, outTradeNo: order.outTradeNo, amountFen: order.amountFen });
  await untilAsked(lab, order);
  lab.promise(order, { kind: 'waiting' });
  await lab.untilKept([order]);
  return 'reported as paid, NOTPAY at WeChat Pay: asked, nothing granted';
}

async function untilAsked(lab: Lab, { outTradeNo }: PlacedOrder): Promise<void> {
  await lab.world.until(lab.world.patienceMs, async () => {
    const asked = await lab.database.rows(
      'SELECT 1 FROM order_queries WHERE out_trade_no = ? AND last_answer IS NOT NULL',
      [outTradeNo],
    );
    return asked.length > 0 ? [] : [`${outTradeNo}: WeChat Pay was not asked`];
  });
}

async function amountDiffers(lab: Lab): Promise<string> {
  const { order } = await lab.orderPackage('premium', { chargedFen: lab.world.pricesFen.basic });
  const { outTradeNo } = order;
  lab.disputed.add(outTradeNo);
  const payment = lab.pay(order, { notice: {} });
  lab.promise(order, { kind: 'held', by: ['payment_held'] });
  await lab.untilKept([order]);
  const [row] = (await lab.world.factsOf(order)).rows;
  if (row?.status !== 'paid') throw new StoryFailed(`the row says ${row?.status} instead of paid`);
  return `the row says ${row.amount}, ${payment.amountFen} fen was paid: held with a reason`;
}

async function refundedBeforeGrant(lab: Lab): Promise<string> {
  const { order } = await lab.orderPackage('premium', { madeSecondsAgo: NEARLY_ASKED_SECONDS });
  lab.pay(order);
  const { outTradeNo, amountFen } = order;
  lab.simulator.merchantRefunds({ outTradeNo, outRefundNo: `R${outTradeNo}`, refundFen: amountFen });
  // Which refund it was, WeChat Pay does not say of an order: the notice of it, or the bill, will.
  lab.promise(order, { kind: 'held', by: ['payment_held', 'refund_unseen'] });
  await lab.untilKept([order]);
  return 'paid and refunded before anybody asked: held with a reason';
}

/** The order was accepted by WeChat Pay and by nobody else. */
function neverWritten(backup: 'lost' | 'later' = 'lost') {
  return { outage: 'db_unavailable', backup } as const;
}

function promiseGrant(
  lab: Lab,
  order: PlacedOrder,
  to: { userId: string; packageType: Package },
): PlacedOrder {
  return lab.promise(order, { kind: 'granted', ...to });
}
