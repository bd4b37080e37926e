import type { CallbackTricks } from '../../test/support/wechatpay-simulator/callback-tricks.ts';
import type { FaultKind } from '../../test/support/wechatpay-simulator/faults.ts';
import type { PlacedOrder } from './function-habits.ts';
import type { Lab, LabStory } from './lab.ts';
import { NEARLY_ASKED_SECONDS } from './stories-wechatpay.ts';
import { StoryFailed } from './world.ts';

/** An order is closed at the age of two hours: these are a little older. */
const OVERDUE_SECONDS = 2 * 3600 + 60;
const MINUTE_MS = 60_000;

/** WeChat Pay fails, somebody plays WeChat Pay, or the time of an order runs out. */
export const ODD_WECHATPAY_STORIES: readonly LabStory[] = [
  { name: 'callbacks-refused', about: 'forged, replayed, cut, of another merchant', run: callbacksRefused },
  { name: 'overdue-closed', about: 'unpaid for two hours', run: overdueClosed },
  { name: 'paid-at-the-close', about: 'paid between the question and the close', run: paidAtTheClose },
  { name: 'wechatpay-fails', about: 'no usable answers for a while, then good ones', run: wechatpayFails },
];

const TRICKS: readonly (readonly [what: string, tricks: CallbackTricks])[] = [
  ['signed by a stranger', { signature: 'stranger' }],
  ['without a signature', { signature: 'missing' }],
  ['a probe', { signature: 'probe' }],
  ['an unknown serial', { serial: 'PUB_KEY_ID_0000000000000000000000000000000001' }],
  ['replayed after six minutes', { ageMs: 6 * MINUTE_MS }],
  ['from the future', { ageMs: -6 * MINUTE_MS }],
  ['cut by a byte', { bytesCut: 1 }],
  ['cut by half', { bytesCut: 400 }],
  ['encrypted with another key', { apiv3Key: 'x'.repeat(32) }],
  ['of another merchant', { resource: { mchid: '1900000109' } }],
  ['of another app', { resource: { appid: 'wx0000000000000000' } }],
  ['of no payment', { resource: { trade_state: 'NOTPAY' } }],
];

async function callbacksRefused(lab: Lab): Promise<string> {
  const { order, userId } = await lab.orderPackage('premium');
  const { outTradeNo } = order;
  lab.pay(order);
  for (const [what, tricks] of TRICKS) {
    const status = await postCallback(lab, order, tricks);
    if (status === null || status < 400 || status >= 500)
      throw new StoryFailed(`${what}: answered ${status}`);
  }
  const { rows, inbox, grants, openExceptions } = await lab.world.factsOf(order);
  const isUntouched = rows[0]?.status === 'pending' && !rows[0].transaction_id;
  if (!isUntouched || inbox.length + grants.length + openExceptions.length > 0)
    throw new StoryFailed(`${outTradeNo}: a refused callback had an effect`);
  const genuine = await postCallback(lab, order, {});
  if (genuine !== 200) throw new StoryFailed(`the genuine callback: answered ${genuine}`);
  lab.promise(order, { kind: 'granted', packageType: 'premium', userId });
  await lab.untilKept([order]);
  return `${TRICKS.length} kinds refused without effect, the genuine one after them: granted`;
}

async function postCallback(
  lab: Lab,
  { outTradeNo }: PlacedOrder,
  tricks: CallbackTricks,
): Promise<number | null> {
  const callback = lab.simulator.composePaymentCallback(outTradeNo, tricks);
  const { status } = await lab.simulator.postCallback(lab.simulator.settings.notifyUrl, callback);
  return status;
}

async function overdueClosed(lab: Lab): Promise<string> {
  const { order } = await lab.orderPackage('premium', { madeSecondsAgo: OVERDUE_SECONDS });
  const young = await lab.orderPackage('premium', { madeSecondsAgo: OVERDUE_SECONDS / 2 });
  lab.promise(order, { kind: 'failed' });
  lab.promise(young.order, { kind: 'unpaid' });
  await lab.untilKept([order, young.order]);
  return 'two hours unpaid: closed at WeChat Pay, then failed; one hour: left open';
}

/** The customer pays after WeChat Pay has said NOTPAY, before the close reaches it. */
async function paidAtTheClose(lab: Lab): Promise<string> {
  const { simulator } = lab;
  let waiting: PlacedOrder | null = null;
  const payWhenAsked = (answer: Record<string, unknown>) => {
    if (waiting && answer.out_trade_no === waiting.outTradeNo) {
      lab.pay(waiting);
      waiting = null;
    }
    return answer;
  };
  simulator.faults.next({ rewrite: payWhenAsked }, { times: Infinity, route: 'query-by-out-trade-no' });
  try {
    const { order, userId } = await lab.orderPackage('premium', {
      outage: 'db_unavailable',
      backup: 'lost',
      madeSecondsAgo: OVERDUE_SECONDS,
    });
    waiting = order;
    await lab.world.functions.insert(order.row);
    lab.promise(order, { kind: 'granted', packageType: 'premium', userId });
    await lab.untilKept([order]);
    const close = simulator.requests.find(
      ({ route, url }) => route === 'close' && url.includes(order.outTradeNo),
    );
    if (close?.status !== 400) throw new StoryFailed(`the close was answered ${close?.status ?? 'never'}`);
    return 'NOTPAY, paid, close refused: asked once more, paid and granted';
  } finally {
    simulator.faults.clear();
  }
}

const FAULTS: readonly FaultKind[] = [
  'error-before',
  'error-after',
  'hang-before',
  'html-502-before',
  'too-many-before',
  'bad-signature',
  'reset-after',
  'missing-headers',
];
/** More rounds than there is time for questions: until it is healed, WeChat Pay gives no usable answer. */
const FAULT_ROUNDS = 20;
/** The circuit breaker lets nothing pass for ten seconds; afterwards the open questions are asked anew. */
const HEALED_WITHIN_MS = 30_000;
const ASK_AGAIN_EVERY_MS = 2_000;

async function wechatpayFails(lab: Lab): Promise<string> {
  const { simulator } = lab;
  for (const fault of Array.from({ length: FAULT_ROUNDS }, () => FAULTS).flat()) {
    simulator.faults.next(fault, { route: 'query-by-out-trade-no' });
  }
  try {
    const paid = await Promise.all(
      FAULTS.map(() => lab.orderPackage('premium', { madeSecondsAgo: NEARLY_ASKED_SECONDS })),
    );
    for (const { order } of paid) lab.pay(order);
    const { order: overdue } = await lab.orderPackage('premium', { madeSecondsAgo: OVERDUE_SECONDS });
    const orders = [...paid.map(({ order }) => order), overdue];
    await expectUntouched(lab, orders);
    simulator.faults.clear();
    // The close is carried out, and its answer is lost.
    simulator.faults.next('error-after', { route: 'close' });
    for (const { order, userId } of paid)
      lab.promise(order, { kind: 'granted', packageType: 'premium', userId });
    lab.promise(overdue, { kind: 'failed' });
    const startedMs = performance.now();
    await untilSettled(lab, orders);
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    return `${FAULTS.length} ways to fail: nothing changed meanwhile, all settled ${seconds} s later`;
  } finally {
    simulator.faults.clear();
  }
}

/** Every one of them was asked about in vain, and not one is paid, failed or granted for that. */
async function expectUntouched(lab: Lab, orders: readonly PlacedOrder[]): Promise<void> {
  const { world } = lab;
  await world.until(world.patienceMs, async () => {
    const asked = await lab.database.rows(
      'SELECT 1 FROM order_queries WHERE last_answer IS NOT NULL AND out_trade_no IN (?)',
      [orders.map(({ outTradeNo }) => outTradeNo)],
    );
    const left = orders.length - asked.length;
    return left > 0 ? [`${left} of ${orders.length} orders were not asked about`] : [];
  });
  for (const order of orders) {
    const { rows, grants, openExceptions } = await world.factsOf(order);
    if (rows[0]?.status === 'pending' && grants.length + openExceptions.length === 0) continue;
    throw new StoryFailed(
      `${order.outTradeNo} is ${rows[0]?.status} although WeChat Pay said nothing usable`,
    );
  }
}

async function untilSettled(lab: Lab, orders: readonly PlacedOrder[]): Promise<void> {
  const deadlineMs = performance.now() + HEALED_WITHIN_MS;
  for (;;) {
    await lab.askAgain(orders);
    try {
      return await lab.untilKept(orders, ASK_AGAIN_EVERY_MS);
    } catch (error) {
      if (!(error instanceof StoryFailed) || performance.now() > deadlineMs) throw error;
    }
  }
}
