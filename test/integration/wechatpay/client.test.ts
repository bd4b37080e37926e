import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OutTradeNo } from '../../../src/shared/ids.js';
import { Money } from '../../../src/shared/money.js';
import { failureOf, openChannel } from '../../support/wechatpay-channel.js';
import type { Channel } from '../../support/wechatpay-channel.js';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.ts';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';
import type { WechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';

/** Not the time of the machine: everything here must follow the clock it is given. */
const START_MS = Date.UTC(2026, 0, 27, 2);
const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let simulator: WechatPaySimulator;
let channel: Channel;
let numbers = 0;

beforeAll(async () => {
  simulator = await startWechatPaySimulator({ mode: 'public-key', clock: SimulatorClock.heldAt(START_MS) });
  // Nobody listens for notices here.
  simulator.settings.notice = { ...simulator.settings.notice, copies: 0 };
  simulator.settings.refundNotifyUrl = null;
});
afterAll(() => simulator.close());
beforeEach(() => {
  channel = openChannel(simulator);
  return () => channel.service.onApplicationShutdown();
});

function place(totalFen = 2990): OutTradeNo {
  const outTradeNo = `1706345678901${String(++numbers).padStart(5, '0')}` as OutTradeNo;
  simulator.placeOrder({ outTradeNo, totalFen, tradeType: 'JSAPI' });
  return outTradeNo;
}

function placePaid(totalFen = 2990): { outTradeNo: OutTradeNo; transactionId: string } {
  const outTradeNo = place(totalFen);
  const { payment } = simulator.customerPays(outTradeNo);
  return { outTradeNo, transactionId: payment?.transactionId ?? '' };
}

function refundOf(outTradeNo: OutTradeNo, changes: { fen?: number; outRefundNo?: string } = {}) {
  return {
    order: { outTradeNo },
    outRefundNo: changes.outRefundNo ?? `RF_${outTradeNo}-a*b|c@d`,
    refundAmount: Money.ofFen(changes.fen ?? 1000),
    orderAmount: Money.ofFen(2990),
    reason: '退款 "reason" & more',
  };
}

describe('orders', () => {
  it.each(['sparse', 'observed'] as const)('tells an unpaid order (%s answers)', async (unpaidAnswer) => {
    simulator.settings.unpaidAnswer = unpaidAnswer;
    const outTradeNo = place();
    expect(await channel.service.queryByOutTradeNo(outTradeNo)).toMatchObject({
      state: 'unpaid',
      tradeState: 'NOTPAY',
      outTradeNo,
    });
  });

  it('tells a paid order by either number: amount, time and payer as WeChat Pay has them', async () => {
    const outTradeNo = place();
    const { payment } = simulator.customerPays(outTradeNo, { couponFen: 500 });
    const byOrder = await channel.service.queryByOutTradeNo(outTradeNo);
    expect(byOrder).toMatchObject({
      state: 'paid',
      tradeState: 'SUCCESS',
      tradeType: 'JSAPI',
      transactionId: payment?.transactionId,
      amount: { fen: 2990 },
      paidAt: new Date(START_MS),
      openid: payment?.openid,
    });
    expect(await channel.service.queryByTransactionId(payment?.transactionId ?? '')).toEqual(byOrder);
  });

  it('tells a refunded order as paid, and a closed one as closed', async () => {
    const { outTradeNo } = placePaid();
    simulator.merchantRefunds({ outTradeNo, outRefundNo: `M${outTradeNo}`, refundFen: 1 });
    const refunded = await channel.service.queryByOutTradeNo(outTradeNo);
    expect(refunded).toMatchObject({ state: 'paid', tradeState: 'REFUND' });
    const abandoned = place();
    await channel.service.closeOrder(abandoned);
    await channel.service.closeOrder(abandoned);
    expect(await channel.service.queryByOutTradeNo(abandoned)).toMatchObject({ state: 'closed' });
    expect(simulator.ledger.getOrder(abandoned).state).toBe('CLOSED');
  });

  it('tells an order that was never placed as not found, without an alarm', async () => {
    const failure = await failureOf(channel.service.queryByOutTradeNo('170634567890199999' as OutTradeNo));
    expect(failure).toMatchObject({
      outcome: 'not_found',
      kind: 'not_found',
      reason: 'ORDERNOTEXIST',
      httpStatus: 404,
    });
    expect(failure.requestId).toMatch(/-268512771$/);
    expect(channel.log.lines).toEqual([]);
  });

  it.each(['ORDER_PAID', 'ORDERPAID', 'TRADE_ERROR', 'INVALID_REQUEST'] as const)(
    'does not close a paid order, and the query says paid (%s)',
    async (closePaidAnswer) => {
      simulator.settings.closePaidAnswer = closePaidAnswer;
      const { outTradeNo } = placePaid();
      expect((await failureOf(channel.service.closeOrder(outTradeNo))).outcome).toBe('final');
      expect((await channel.service.queryByOutTradeNo(outTradeNo)).state).toBe('paid');
    },
  );

  it('sends numbers with odd characters as they are, and impossible ones not at all', async () => {
    const odd = `a|b*c_-${numbers}xyz` as OutTradeNo;
    simulator.placeOrder({ outTradeNo: odd, totalFen: 1, tradeType: 'NATIVE' });
    expect((await channel.service.queryByOutTradeNo(odd)).outTradeNo).toBe(odd);
    const before = simulator.requests.length;
    for (const bad of ['../../../v3/certificates', 'abc?mchid=1', 'abcdef#', '12345', 'x'.repeat(33), '']) {
      const failure = await failureOf(channel.service.queryByOutTradeNo(bad as OutTradeNo));
      expect(failure).toMatchObject({ outcome: 'final', reason: 'impossible_number' });
      await failureOf(channel.service.closeOrder(bad as OutTradeNo));
      await failureOf(channel.service.queryByTransactionId(`${bad}/`));
      await failureOf(channel.service.queryRefund(`${bad}/`));
    }
    expect(simulator.requests).toHaveLength(before);
  });
});

describe('refunds', () => {
  it('creates one refund for any number of equal requests, and follows it to its end', async () => {
    const { outTradeNo, transactionId } = placePaid();
    const request = refundOf(outTradeNo);
    const created = await channel.service.createRefund(request);
    expect(created).toMatchObject({
      status: 'PROCESSING',
      outTradeNo,
      transactionId,
      refundAmount: { fen: 1000 },
      orderAmount: { fen: 2990 },
      acceptedAt: new Date(simulator.clock.nowMs()),
      succeededAt: null,
    });
    expect(await channel.service.createRefund(request)).toEqual(created);
    expect(simulator.ledger.refunds.filter(({ order }) => order.outTradeNo === outTradeNo)).toHaveLength(1);
    simulator.endRefund(request.outRefundNo, 'SUCCESS');
    expect(await channel.service.queryRefund(request.outRefundNo)).toMatchObject({
      status: 'SUCCESS',
      succeededAt: new Date(simulator.clock.nowMs()),
    });
  });

  it('refunds by transaction, too', async () => {
    const { outTradeNo, transactionId } = placePaid();
    const request = { ...refundOf(outTradeNo), order: { transactionId } };
    expect(await channel.service.createRefund(request)).toMatchObject({ transactionId, outTradeNo });
  });

  it('tells a business refusal with the words of WeChat Pay', async () => {
    const { outTradeNo } = placePaid();
    const request = refundOf(outTradeNo);
    await channel.service.createRefund(request);
    const other = await failureOf(
      channel.service.createRefund({ ...request, refundAmount: Money.ofFen(999) }),
    );
    expect(other).toMatchObject({ outcome: 'final', kind: 'conflict', reason: 'INVALIDREQUEST' });
    expect(other.message).toContain('参数与首次请求时不一致');
    expect(channel.log.lines).toMatchObject([
      { level: 'info', event: 'wechatpay.call_refused', call: 'create_refund' },
    ]);
  });

  it('tells what WeChat Pay does not know as not found', async () => {
    expect((await failureOf(channel.service.queryRefund('never-sent'))).outcome).toBe('not_found');
    const unpaid = await failureOf(channel.service.createRefund(refundOf(place())));
    expect(unpaid.outcome).toBe('not_found');
  });

  it('takes a short balance for not accepted: the same number goes through later', async () => {
    const { outTradeNo } = placePaid();
    const request = refundOf(outTradeNo);
    const withdrawnFen = simulator.ledger.balanceFen;
    simulator.merchantWithdraws(withdrawnFen);
    const failure = await failureOf(channel.service.createRefund(request));
    expect(failure).toMatchObject({ outcome: 'not_accepted', reason: 'NOTENOUGH' });
    simulator.merchantTopsUp(withdrawnFen);
    expect((await channel.service.createRefund(request)).status).toBe('PROCESSING');
  });

  it.each([
    { type: 'MERCHANT_BANK_CARD' } as const,
    {
      type: 'USER_BANK_CARD',
      bankType: 'ICBC_DEBIT',
      bankAccount: '6222020200001111',
      realName: '张三',
    } as const,
  ])('sends an abnormal refund elsewhere ($type), the card encrypted', async (target) => {
    const { outTradeNo } = placePaid();
    const { outRefundNo, ...request } = refundOf(outTradeNo);
    const { refundId } = await channel.service.createRefund({ outRefundNo, ...request });
    const early = await failureOf(channel.service.applyAbnormalRefund({ refundId, outRefundNo, target }));
    expect(early.outcome).toBe('final');
    simulator.endRefund(outRefundNo, 'ABNORMAL');
    expect((await channel.service.queryRefund(outRefundNo)).status).toBe('ABNORMAL');
    const applied = await channel.service.applyAbnormalRefund({ refundId, outRefundNo, target });
    expect(applied).toMatchObject({ refundId, outRefundNo });
    const sent = simulator.requests.filter(({ route }) => route === 'refund-abnormal');
    for (const { body } of sent) expect(body).not.toMatch(/6222020200001111|张三/);
  });
});

describe('bills', () => {
  const BILL_DATE = '2026-02-10';

  beforeAll(async () => {
    await simulator.advance(Date.parse(`${BILL_DATE}T12:00:00+08:00`) - simulator.clock.nowMs());
    placePaid();
  });

  it('is told to come later while the bill is being made', async () => {
    await simulator.advance(DAY_MS - 4 * HOUR_MS);
    const failure = await failureOf(channel.service.tradeBill({ billDate: BILL_DATE }));
    expect(failure).toMatchObject({ outcome: 'not_accepted', reason: 'STATEMENTCREATING' });
    await simulator.advance(4 * HOUR_MS);
  });

  it.each([true, false])('downloads the exact bytes (compressed: %s)', async (isCompressed) => {
    // Whatever host the address names, the configured one is asked.
    simulator.settings.billOrigin = isCompressed ? 'https://169.254.169.254' : null;
    const ticket = await channel.service.tradeBill({ billDate: BILL_DATE, isCompressed });
    const bill = await channel.service.downloadBill(ticket);
    expect(createHash('sha1').update(bill).digest('hex')).toBe(ticket.sha1);
    expect(bill.subarray(0, 3)).toEqual(Buffer.from([0xef, 0xbb, 0xbf]));
    expect(bill.toString('utf8')).toContain('`29.90');
    simulator.settings.billOrigin = null;
  });

  it('downloads a fund-flow bill', async () => {
    const ticket = await channel.service.fundFlowBill({ billDate: BILL_DATE });
    expect((await channel.service.downloadBill(ticket)).toString('utf8')).toContain('记账时间');
  });

  it('tells a day without payments as not found, and an expired address as to be asked for again', async () => {
    const empty = await failureOf(channel.service.tradeBill({ billDate: '2026-02-09', billType: 'SUCCESS' }));
    expect(empty).toMatchObject({ outcome: 'not_found', reason: 'NOSTATEMENTEXIST' });
    const ticket = await channel.service.tradeBill({ billDate: BILL_DATE });
    await simulator.advance(simulator.settings.billTokenLifeMs);
    expect((await failureOf(channel.service.downloadBill(ticket))).outcome).toBe('not_accepted');
  });

  it('refuses a bill that is not the one whose hash was told', async () => {
    const ticket = await channel.service.tradeBill({ billDate: BILL_DATE });
    const failure = await failureOf(channel.service.downloadBill({ ...ticket, sha1: '0'.repeat(40) }));
    expect(failure).toMatchObject({ outcome: 'unknown', reason: 'unexpected_content' });
  });
});
