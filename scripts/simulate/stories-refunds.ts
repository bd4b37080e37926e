import { randomUUID } from 'node:crypto';
import { statusOf } from '../../test/support/wechatpay-simulator/ledger.ts';
import type { Settings } from '../../test/support/wechatpay-simulator/settings.ts';
import type { Lab, LabStory } from './lab.ts';
import {
  ask,
  during,
  expectAtWechatPay,
  expectRefunded,
  expectRefused,
  expectUser,
  letTheGapPass,
  promised,
  sell,
  untilRefunds,
  untilRefundsAre,
  withoutNotices,
} from './refund-desk.ts';
import type { RefundSeen, Sale } from './refund-desk.ts';
import { StoryFailed } from './world.ts';

/** Floats make 0.07 × 100 into 7.000000000000001, and 0.55 × 100 into 55.00000000000001. */
const AWKWARD_PARTS_FEN = [7, 55];
const REPETITIONS = 20;
const NOTICES = 3;
const PART_FEN = 1000;
const PARTS_AT_ONCE = 12;
const PREMIUM_AND_OPENING_CREDITS = 23;

/** An operator refunds. The same whichever door the refunds leave by. */
export const REFUND_STORIES: readonly LabStory[] = [
  { name: 'refund', about: 'all of the money goes back', run: refund },
  { name: 'refund-in-parts', about: 'parts of 0.07, 0.55 and the rest', run: refundInParts },
  { name: 'refund-repeated', about: 'one request, twenty times at once', run: refundRepeated },
  { name: 'refund-too-many', about: 'more at once than was paid', run: refundTooMany },
  { name: 'refund-callback-lost', about: 'nobody tells that it arrived', run: refundCallbackLost },
  { name: 'refund-then-duplicate', about: 'the payment is delivered again', run: refundThenDuplicate },
];

async function refund(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  await expectUser(lab, sale.userId, { package: 'premium', credits: PREMIUM_AND_OPENING_CREDITS });
  const outRefundNo = await during(lab, repeatedNotices(lab), async () => {
    const asked = await ask(lab, sale, sale.order.amountFen);
    await expectRefunded(lab, sale, [asked]);
    return asked;
  });
  lab.simulator.notifier.redeliver(outRefundNo);
  await lab.simulator.settle();
  await expectRefunded(lab, sale, [outRefundNo]);
  return `told ${NOTICES} times, then again: refunded once, user free, credits back`;
}

function repeatedNotices({ simulator }: Lab): Pick<Settings, 'notice'> {
  return { notice: { ...simulator.settings.notice, copies: NOTICES, hasOwnIds: true } };
}

async function refundInParts(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const { amountFen } = sale.order;
  const restFen = amountFen - AWKWARD_PARTS_FEN.reduce((sum, fen) => sum + fen, 0);
  const outRefundNos: string[] = [];
  for (const fen of [...AWKWARD_PARTS_FEN, restFen]) outRefundNos.push(await ask(lab, sale, fen));
  await untilSpaced(lab, outRefundNos);
  for (let arrived = 1; arrived < outRefundNos.length; arrived += 1) {
    await untilArrived(lab, outRefundNos, arrived);
    await lab.untilKept([sale.order]); // still paid, and still granted
    await expectUser(lab, sale.userId, { package: 'premium', credits: PREMIUM_AND_OPENING_CREDITS });
    await letTheGapPass(lab, sale);
  }
  await expectRefunded(lab, sale, outRefundNos);
  return 'one at a time, paid and granted until the last fen; then refunded';
}

/** WeChat Pay refuses two refunds of one order within a minute: one is on its way, and the others wait. */
async function untilSpaced(lab: Lab, outRefundNos: readonly string[]): Promise<void> {
  await lab.world.until(lab.world.patienceMs, async () => {
    const waiting = await lab.database.rows(
      `SELECT 1 FROM refund_settlements
        WHERE out_refund_no IN (?) AND sends = 0 AND last_answer = 'waits_for_its_turn'`,
      [outRefundNos],
    );
    const missing = outRefundNos.length - 1 - waiting.length;
    return missing === 0 ? [] : [`${waiting.length} of ${outRefundNos.length} refunds wait for their turn`];
  });
}

async function untilArrived(lab: Lab, outRefundNos: readonly string[], count: number): Promise<void> {
  await lab.world.until(lab.world.patienceMs, async () => {
    const arrived = await lab.database.rows(
      "SELECT 1 FROM refunds WHERE out_refund_no IN (?) AND status = 'success'",
      [outRefundNos],
    );
    return arrived.length === count ? [] : [`${arrived.length} parts arrived instead of ${count}`];
  });
}

async function refundRepeated(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const operator = await lab.operator();
  const { outTradeNo, amountFen } = sale.order;
  const wish = { outTradeNo, fen: amountFen, key: randomUUID() };
  const answers = await Promise.all(Array.from({ length: REPETITIONS }, () => operator.request(wish)));
  const outRefundNos = [...new Set(answers.map(promised))];
  await expectRefunded(lab, sale, outRefundNos);
  outRefundNos.push(promised(await operator.request(wish)));
  if (new Set(outRefundNos).size !== 1) throw new StoryFailed(`promised as ${outRefundNos.join(', ')}`);
  expectRefused(await operator.request({ ...wish, fen: amountFen - 1 }), 'idempotency_key_used');
  return `${REPETITIONS} at once, once more later: one refund; its key for another: refused`;
}

/** Each alone would be within what is left. */
async function refundTooMany(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const { outTradeNo, amountFen } = sale.order;
  const operator = await lab.operator();
  const answers = await Promise.all(
    Array.from({ length: PARTS_AT_ONCE }, () => operator.request({ outTradeNo, fen: PART_FEN })),
  );
  const outRefundNos = answers.flatMap((answer) => (answer.status === 202 ? [promised(answer)] : []));
  const fitting = Math.floor(amountFen / PART_FEN);
  if (outRefundNos.length !== fitting)
    throw new StoryFailed(`${outRefundNos.length} parts promised instead of ${fitting}`);
  for (const answer of answers) if (answer.status !== 202) expectRefused(answer, 'refund_exceeds_paid');
  for (let arrived = 1; arrived < fitting; arrived += 1) {
    await untilArrived(lab, outRefundNos, arrived);
    await letTheGapPass(lab, sale);
  }
  await untilRefundsAre(lab, 'success', outRefundNos);
  expectAtWechatPay(lab, sale.order, { outRefundNos, fen: fitting * PART_FEN });
  await lab.untilKept([sale.order]);
  return `${PARTS_AT_ONCE} × 10.00 of 29.90 at once: ${fitting} promised and paid, the others refused`;
}

async function refundCallbackLost(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const outRefundNo = await during(lab, withoutNotices(lab), async () => {
    const asked = await ask(lab, sale, sale.order.amountFen);
    await untilEnded(lab, sale, asked);
    return asked;
  });
  const isUnderWay = (seen: RefundSeen) => seen.status === 'pending' && seen.last_answer !== null;
  await untilRefunds(lab, [outRefundNo], { what: 'under way', isSo: isUnderWay });
  // As if the last question were a minute old: one is not repeated at once, whoever wants it.
  await lab.database.run(
    'UPDATE refund_settlements SET asked_at = asked_at - INTERVAL 1 MINUTE WHERE out_refund_no = ?',
    [outRefundNo],
  );
  const { status } = await (await lab.operator()).retry(outRefundNo);
  if (status !== 200) throw new StoryFailed(`the retry was answered ${status}`);
  await expectRefunded(lab, sale, [outRefundNo]);
  return 'arrived, and nobody told: asked when the operator wished, refunded';
}

async function untilEnded(lab: Lab, { order }: Sale, outRefundNo: string): Promise<void> {
  const { ledger } = lab.simulator;
  await lab.world.until(lab.world.patienceMs, () => {
    const made = ledger.findRefund(outRefundNo);
    const isThere = made !== undefined && statusOf(made) === 'SUCCESS';
    return Promise.resolve(isThere ? [] : [`${order.outTradeNo}: WeChat Pay has not paid back`]);
  });
}

/** The deployed callback knows no refunds: it sets the row to paid, and notifies as for any payment. */
async function refundThenDuplicate(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const outRefundNos = [await ask(lab, sale, sale.order.amountFen)];
  await expectRefunded(lab, sale, outRefundNos);
  await lab.callFunction(sale.payment);
  await expectRefunded(lab, sale, outRefundNos);
  lab.simulator.notifier.redeliver(sale.order.outTradeNo);
  await lab.simulator.settle();
  await lab.world.functions.markPaid(sale.payment);
  await expectRefunded(lab, sale, outRefundNos);
  return 'set back to paid with a notify and without: refunded, no new grant';
}
