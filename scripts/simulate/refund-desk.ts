import { statusOf } from '../../test/support/wechatpay-simulator/ledger.ts';
import type { Refund } from '../../test/support/wechatpay-simulator/ledger.ts';
import type { Settings } from '../../test/support/wechatpay-simulator/settings.ts';
import type { PlacedOrder } from './function-habits.ts';
import type { Lab } from './lab.ts';
import { toYuan } from './money.ts';
import type { OperatorAnswer } from './operator.ts';
import type { Payment } from './order-book.ts';
import { StoryFailed } from './world.ts';

/** An order that was paid and granted. */
export type Sale = { readonly order: PlacedOrder; readonly userId: string; readonly payment: Payment };

export type RefundSeen = {
  readonly out_refund_no: string;
  /** As the callers see it, in `refunds`. */
  readonly status: string;
  readonly refund_amount: string;
  readonly total_amount: string;
  readonly refund_id: string | null;
  readonly settled_as: string | null;
  readonly stage: string | null;
  readonly last_answer: string | null;
};

/** What a customer has who paid for nothing. */
const OPENING_CREDITS = 3;

/** Puts together what stories about refunds begin with, wait for and expect. */
export async function sell(lab: Lab): Promise<Sale> {
  const { order, userId } = await lab.orderPackage('premium');
  const payment = lab.pay(order, { notice: {} });
  lab.promise(order, { kind: 'granted', packageType: 'premium', userId });
  await lab.untilKept([order]);
  return { order, userId, payment };
}

/** An operator asks for it. @returns its number @throws StoryFailed when it is refused */
export async function ask(lab: Lab, { order }: Sale, fen: number): Promise<string> {
  const operator = await lab.operator();
  return promised(await operator.request({ outTradeNo: order.outTradeNo, fen }));
}

export function promised({ status, error, refund }: OperatorAnswer): string {
  if (status === 202 && refund) return refund.outRefundNo;
  throw new StoryFailed(`the refund was answered ${status} ${error ?? ''}`.trimEnd());
}

export function expectRefused({ status, error }: OperatorAnswer, code: string): void {
  if (status === 409 && error === code) return;
  throw new StoryFailed(`answered ${status} ${error ?? ''} instead of 409 ${code}`);
}

/** WeChat Pay is set up like this as long as `work` takes. */
export async function during<Result>(
  { simulator: { settings } }: Lab,
  changes: Partial<Settings>,
  work: () => Promise<Result>,
): Promise<Result> {
  const before = { ...settings };
  Object.assign(settings, changes);
  try {
    return await work();
  } finally {
    Object.assign(settings, before);
  }
}

/** Nobody is told of anything. */
export function withoutNotices({ simulator }: Lab): Pick<Settings, 'notice'> {
  return { notice: { ...simulator.settings.notice, copies: 0 } };
}

export async function findRefund(lab: Lab, outRefundNo: string): Promise<RefundSeen | undefined> {
  const [refund] = await lab.database.rows<RefundSeen>(
    `SELECT r.out_refund_no, r.status, r.refund_amount, r.total_amount, r.refund_id, s.status AS settled_as, s.stage,
            s.last_answer
       FROM refunds r LEFT JOIN refund_settlements s ON s.out_refund_no = r.out_refund_no
      WHERE r.out_refund_no = ?`,
    [outRefundNo],
  );
  return refund;
}

/** Waits until this is so of all of them. @param what says what, in words that follow "is not" */
export async function untilRefunds(
  lab: Lab,
  outRefundNos: readonly string[],
  { what, isSo }: { what: string; isSo: (refund: RefundSeen) => boolean },
): Promise<void> {
  await lab.world.until(lab.world.patienceMs, async () => {
    const found = await Promise.all(outRefundNos.map((outRefundNo) => findRefund(lab, outRefundNo)));
    return found.flatMap((refund, index) => {
      if (refund && isSo(refund)) return [];
      const state = refund ? `${refund.status}, ${refund.stage}, ${refund.last_answer}` : 'has no row';
      return [`${outRefundNos[index]} is not ${what}: ${state}`];
    });
  });
}

export function untilRefundsAre(lab: Lab, status: string, outRefundNos: readonly string[]): Promise<void> {
  const isSo = (refund: RefundSeen) => refund.status === status && refund.settled_as === status;
  return untilRefunds(lab, outRefundNos, { what: status, isSo });
}

/** All of the money went back: the order is refunded, the user free again, and WeChat Pay has made these and no others. */
export async function expectRefunded(
  lab: Lab,
  { order, userId }: Sale,
  outRefundNos: readonly string[],
): Promise<void> {
  await untilRefundsAre(lab, 'success', outRefundNos);
  lab.promise(order, { kind: 'refunded', packageType: 'premium', userId });
  await lab.untilKept([order]);
  expectAtWechatPay(lab, order, { outRefundNos, fen: order.amountFen });
  await expectUser(lab, userId, { package: 'free', credits: OPENING_CREDITS });
}

/** WeChat Pay has paid back exactly this, by these refunds. */
export function expectAtWechatPay(
  lab: Lab,
  order: PlacedOrder,
  { outRefundNos, fen }: { outRefundNos: readonly string[]; fen: number },
): void {
  const made = refundsAtWechatPay(lab, order).filter((refund) => statusOf(refund) === 'SUCCESS');
  const madeFen = made.reduce((sum, { refundFen }) => sum + refundFen, 0);
  const isAsAsked = made.every((refund) => outRefundNos.includes(refund.outRefundNo));
  if (isAsAsked && made.length === outRefundNos.length && madeFen === fen) return;
  throw new StoryFailed(
    `${order.outTradeNo}: ${made.length} refunds of ${toYuan(madeFen)} at WeChat Pay instead of ${outRefundNos.length} of ${toYuan(fen)}`,
  );
}

export function refundsAtWechatPay({ simulator: { ledger } }: Lab, order: PlacedOrder): readonly Refund[] {
  return ledger.refundsOf(ledger.getOrder(order.outTradeNo));
}

export async function expectUser(
  lab: Lab,
  userId: string,
  expected: { package: string; credits: number },
): Promise<void> {
  const [user] = await lab.database.rows<{ payment_status: string; regenerate_count: number }>(
    'SELECT payment_status, regenerate_count FROM users WHERE id = ?',
    [userId],
  );
  if (user?.payment_status === expected.package && user.regenerate_count === expected.credits) return;
  throw new StoryFailed(`the user has ${user?.payment_status} and ${user?.regenerate_count} credits`);
}

/** What an operator sees of it, or no longer sees. */
export async function expectException(
  lab: Lab,
  outRefundNo: string,
  { kind, status }: { kind: string; status: 'open' | 'resolved' },
): Promise<void> {
  const found = await lab.database.rows<{ kind: string; status: string; reason: string }>(
    'SELECT kind, status, reason FROM exceptions WHERE subject = ?',
    [outRefundNo],
  );
  const isSo = found.some((one) => one.kind === kind && one.status === status && one.reason.trim() !== '');
  if (isSo && found.length === 1) return;
  const seen = found.map((one) => `${one.kind} ${one.status}`).join(', ');
  throw new StoryFailed(`${outRefundNo}: ${seen || 'no exception'} instead of ${kind} ${status}`);
}

/** As if the minute had passed that WeChat Pay wants between two refunds of one order. */
export async function letTheGapPass(lab: Lab, { order }: Sale): Promise<void> {
  await lab.database.run(
    `UPDATE refund_settlements
        SET sent_at = sent_at - INTERVAL 2 MINUTE, due_at = IF(due_at IS NULL, NULL, UTC_TIMESTAMP(3))
      WHERE out_trade_no = ?`,
    [order.outTradeNo],
  );
}
