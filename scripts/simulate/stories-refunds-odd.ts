import type { FunctionFault } from '../../test/support/cloud-function-stand-in.ts';
import type { FaultKind } from '../../test/support/wechatpay-simulator/faults.ts';
import type { Lab, LabStory } from './lab.ts';
import {
  ask,
  during,
  expectException,
  expectRefunded,
  expectRefused,
  findRefund,
  letTheGapPass,
  refundsAtWechatPay,
  sell,
  untilRefunds,
  untilRefundsAre,
  withoutNotices,
} from './refund-desk.ts';
import { toYuan } from './money.ts';
import type { RefundSeen } from './refund-desk.ts';
import { StoryFailed } from './world.ts';

/** Refunds that do not end well, or that somebody else makes. The same whichever door refunds leave by. */
export const ODD_REFUND_STORIES: readonly LabStory[] = [
  { name: 'refund-closed', about: 'WeChat Pay gives up, then a new request', run: refundClosed },
  { name: 'refund-abnormal', about: "the customer's account takes no money", run: refundAbnormal },
  { name: 'refund-by-function', about: 'any user of the mini program can', run: refundByFunction },
  { name: 'refund-by-merchant', about: 'made on the merchant platform', run: refundByMerchant },
];

export const WECHATPAY_REFUND_FAILURE: LabStory = {
  name: 'refund-wechatpay-fails',
  about: 'WeChat Pay errs, hangs, or signs badly',
  run: refundWechatpayFails,
};

export const FUNCTION_REFUND_FAILURE: LabStory = {
  name: 'refund-function-fails',
  about: 'the function errs, hangs, or says nothing',
  run: refundFunctionFails,
};

/** Fewer than open the circuit breaker. */
const WECHATPAY_FAULTS: readonly FaultKind[] = ['error-after', 'error-before', 'hang-after', 'bad-signature'];

const FUNCTION_FAULTS: readonly FunctionFault[] = [
  'refused-after',
  'refused-before',
  'html-502-after',
  'blank-after',
  'hang-after',
  { rewrite: () => ({ code: -1, msg: '未知的请求类型: wxpay_refund' }) },
];

const MERCHANTS_PART_FEN = 500;

/** A made-up card. */
const CARD = { bankType: 'ICBC_DEBIT', bankAccount: '6222000000000000000', realName: '张三' };

async function refundWechatpayFails(lab: Lab): Promise<string> {
  const { faults } = lab.simulator;
  try {
    const ways = await payBackDespite(lab, WECHATPAY_FAULTS, (fault) =>
      faults.next(fault, { route: 'refund-create' }),
    );
    return `${ways} ways to fail, most after the effect: each paid back once`;
  } finally {
    faults.clear();
  }
}

async function refundFunctionFails(lab: Lab): Promise<string> {
  const { cloudFunction } = lab;
  if (!cloudFunction) throw new Error('this lab has no cloud function');
  try {
    const ways = await payBackDespite(lab, FUNCTION_FAULTS, (fault) => cloudFunction.failNext(fault));
    return `${ways} ways to fail, most after the effect: each paid back once`;
  } finally {
    cloudFunction.heal();
  }
}

/**
 * One refund for each fault. None is said to have ended before it has; those that failed with an answer become known by
 * asking, or by sending again what did not arrive, and the hanging one by its callback, which comes before any answer.
 */
async function payBackDespite<Fault>(
  lab: Lab,
  faults: readonly Fault[],
  fail: (fault: Fault) => void,
): Promise<number> {
  const sales = await Promise.all(faults.map(() => sell(lab)));
  const outRefundNos = await during(lab, { refundEndsAfterMs: null }, async () => {
    for (const fault of faults) fail(fault);
    const asked = await Promise.all(sales.map((sale) => ask(lab, sale, sale.order.amountFen)));
    await untilMade(lab, asked);
    await untilKnown(lab, asked, faults.filter((fault) => fault !== 'hang-after').length);
    return asked;
  });
  for (const outRefundNo of outRefundNos) lab.simulator.endRefund(outRefundNo, 'SUCCESS');
  await Promise.all(sales.map((sale, index) => expectRefunded(lab, sale, [outRefundNos[index] ?? ''])));
  return faults.length;
}

async function untilMade(
  { world, simulator: { ledger } }: Lab,
  outRefundNos: readonly string[],
): Promise<void> {
  await world.until(world.patienceMs, () => {
    const missing = outRefundNos.filter((outRefundNo) => !ledger.findRefund(outRefundNo));
    return Promise.resolve(missing.map((outRefundNo) => `${outRefundNo} is not at WeChat Pay`));
  });
}

async function untilKnown(lab: Lab, outRefundNos: readonly string[], count: number): Promise<void> {
  await lab.world.until(lab.world.patienceMs, async () => {
    const found = await Promise.all(outRefundNos.map((outRefundNo) => findRefund(lab, outRefundNo)));
    const wrong = found.filter((refund) => refund?.status !== 'pending');
    if (wrong.length > 0) throw new StoryFailed(`a refund that is under way is called ${wrong[0]?.status}`);
    const known = found.filter((refund) => refund && isKnown(refund)).length;
    return known >= count ? [] : [`${known} of ${count} refunds are known to be made`];
  });
}

/** Found by asking, or, where it had to be sent again, accepted then. */
function isKnown({ stage, last_answer }: RefundSeen): boolean {
  return stage === 'accepted' || last_answer === 'function_says_PROCESSING';
}

async function refundClosed(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const { order } = sale;
  const balanceFen = lab.simulator.ledger.balanceFen;
  const closed = await during(lab, { refundEnd: 'CLOSED' }, async () => {
    const asked = await ask(lab, sale, order.amountFen);
    await untilRefundsAre(lab, 'closed', [asked]);
    return asked;
  });
  await expectException(lab, closed, { kind: 'refund_closed', status: 'open' });
  await lab.untilKept([order]); // still paid, and still granted
  if (lab.simulator.ledger.balanceFen !== balanceFen) throw new StoryFailed('a closed refund moved money');
  const again = await ask(lab, sale, order.amountFen);
  await letTheGapPass(lab, sale);
  await expectRefunded(lab, sale, [again]);
  return 'no money moved, still granted, operator told; asked anew: refunded';
}

/** The money has left the merchant: another refund would pay twice. */
async function refundAbnormal(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const { order } = sale;
  const operator = await lab.operator();
  const outRefundNo = await during(lab, { refundEnd: 'ABNORMAL' }, async () => {
    const asked = await ask(lab, sale, order.amountFen);
    await untilRefundsAre(lab, 'abnormal', [asked]);
    return asked;
  });
  await expectException(lab, outRefundNo, { kind: 'refund_abnormal', status: 'open' });
  expectRefused(
    await operator.request({ outTradeNo: order.outTradeNo, fen: order.amountFen }),
    'refund_exceeds_paid',
  );
  await lab.untilKept([order]); // still paid, and still granted
  const { status, error } = await operator.redirect(outRefundNo, CARD);
  if (status !== 200) throw new StoryFailed(`the redirection was answered ${status} ${error ?? ''}`);
  await expectRefunded(lab, sale, [outRefundNo]);
  await expectException(lab, outRefundNo, { kind: 'refund_abnormal', status: 'resolved' });
  if (refundsAtWechatPay(lab, order).length !== 1) throw new StoryFailed('a second refund was made');
  return 'operator told, a second refund refused; sent to a card: refunded';
}

/** Its row has fen in the columns of yuan, and nobody is told. */
async function refundByFunction(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const { order, payment } = sale;
  const { outTradeNo, amountFen } = order;
  const outRefundNo = `refund_${outTradeNo}`;
  await during(lab, { refundEndsAfterMs: 0, ...withoutNotices(lab) }, async () => {
    await callRefundFunction(lab, {
      transaction_id: payment.transactionId,
      out_refund_no: outRefundNo,
      amount: { refund: amountFen, total: amountFen },
    });
    await untilShown(lab, outRefundNo, { refundFen: amountFen, totalFen: amountFen });
  });
  await expectRefunded(lab, sale, [outRefundNo]);
  return `its row of ${amountFen}.00 found and repaired, WeChat Pay asked: revoked`;
}

/** By a client of the shop, not by the backend. Its row is taken by the table. @throws StoryFailed when it refunds nothing */
async function callRefundFunction(lab: Lab, refund: Readonly<Record<string, unknown>>): Promise<void> {
  const { cloudFunction, database } = lab;
  if (!cloudFunction) throw new Error('this lab has no cloud function');
  const { CLOUD_FUNCTION_URL, CLOUD_FUNCTION_TOKEN } = cloudFunction.env;
  const deployed = cloudFunction.rows;
  cloudFunction.rows = { shape: 'stored', query: (sql, values) => database.run(sql, values) };
  try {
    const response = await fetch(CLOUD_FUNCTION_URL, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${CLOUD_FUNCTION_TOKEN}` },
      body: JSON.stringify({ type: 'wxpay_refund', ...refund }),
    });
    const { code } = (await response.json()) as { code?: unknown };
    if (code !== 0) throw new StoryFailed(`the function answered ${String(code)}`);
  } finally {
    cloudFunction.rows = deployed;
  }
}

/** In yuan, whoever wrote the row, and in whatever unit. */
async function untilShown(
  lab: Lab,
  outRefundNo: string,
  { refundFen, totalFen }: { refundFen: number; totalFen: number },
): Promise<void> {
  const isSo = (refund: RefundSeen) =>
    refund.status === 'success' &&
    refund.refund_amount === toYuan(refundFen) &&
    refund.total_amount === toYuan(totalFen);
  const what = `shown as ${toYuan(refundFen)} of ${toYuan(totalFen)} yuan paid back`;
  await untilRefunds(lab, [outRefundNo], { what, isSo });
}

/** A part, of which no row in any table tells, only the callback; the rest is the operator's. */
async function refundByMerchant(lab: Lab): Promise<string> {
  const sale = await sell(lab);
  const { order } = sale;
  const { outTradeNo, amountFen } = order;
  const merchants = `MP${outTradeNo}`;
  lab.simulator.merchantRefunds({ outTradeNo, outRefundNo: merchants, refundFen: MERCHANTS_PART_FEN });
  await untilShown(lab, merchants, { refundFen: MERCHANTS_PART_FEN, totalFen: amountFen });
  await lab.untilKept([order]); // still paid, and still granted
  const operator = await lab.operator();
  expectRefused(await operator.request({ outTradeNo, fen: amountFen }), 'refund_exceeds_paid');
  const rest = await ask(lab, sale, amountFen - MERCHANTS_PART_FEN);
  await expectRefunded(lab, sale, [merchants, rest]);
  return 'a part, told by the callback alone, counts; the rest asked: refunded';
}
