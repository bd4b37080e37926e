import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RefundBillsService } from '../../../src/reconciliation/refund-bills.service.js';
import { RefundBackend } from '../../support/refund-backend.js';

const DAY_MS = 86_400_000;

let shop: RefundBackend;

beforeAll(async () => {
  shop = await RefundBackend.start('wechatpay');
  shop.simulator.settings.refundNotifyUrl = null; // the notice is lost, as any may be
});
afterAll(() => shop.stop());
beforeEach(() => shop.backend.heal());

function checkDays(): Promise<void> {
  return shop.backend.application.app.get(RefundBillsService).checkDays(new AbortController().signal);
}

async function refundOnThePlatform(): Promise<{ outTradeNo: string; outRefundNo: string }> {
  const outTradeNo = await shop.paidOrder();
  const outRefundNo = `platform-${outTradeNo}`;
  shop.simulator.merchantRefunds({ outTradeNo, outRefundNo, refundFen: 2990 });
  shop.simulator.endRefund(outRefundNo, 'SUCCESS');
  return { outTradeNo, outRefundNo };
}

/** Past ten in the morning of the day after tomorrow, by the shop's and WeChat Pay's clock. */
async function letTheDayPass(): Promise<void> {
  await shop.simulator.advance(2 * DAY_MS);
}

describe('the bill of a day', () => {
  // A refund on the merchant platform whose notice is lost is told nowhere else: the user would keep what was paid back.
  it('tells of a refund that nobody told, which then takes effect once', async () => {
    const { outTradeNo, outRefundNo } = await refundOnThePlatform();
    const ours = await shop.paidOrder();
    const known = await shop.request(ours, '1.00');
    await shop.settle();
    await letTheDayPass();
    await checkDays();
    await shop.settle();
    expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success', refund_amount: '29.90' });
    const { order, user } = await shop.order(outTradeNo);
    expect(order?.status).toBe('refunded');
    expect(user?.payment_status).toBe('free');
    expect(await shop.settlement(known.outRefundNo)).toMatchObject({ origin: 'operator', refund_fen: '100' });
    const checks = await shop.database.query<{ row_count: number; new_count: number }>(
      'SELECT row_count, new_count FROM bill_checks',
    );
    expect(checks).toHaveLength(7); // a day without any refund counts as read, too
    expect(checks).toContainEqual({ row_count: 2, new_count: 1 });
  });

  it('is read once, and again the next day', async () => {
    const before = shop.simulator.requests.length;
    await checkDays();
    expect(shop.simulator.requests.length).toBe(before);
    await letTheDayPass();
    await checkDays();
    expect(shop.simulator.requests.length).toBeGreaterThan(before);
  });

  it.each(['error-before', 'html-502-after', 'truncated'] as const)(
    'that does not come (%s) is read the next time',
    async (fault) => {
      const { outRefundNo } = await refundOnThePlatform();
      await letTheDayPass();
      shop.simulator.faults.next(fault, { route: 'bill-download', times: 10 });
      shop.simulator.faults.next(fault, { route: 'trade-bill', times: 1 });
      await checkDays();
      await checkDays();
      expect(await shop.settlement(outRefundNo)).toBeUndefined();
      await shop.backend.heal();
      await checkDays();
      await shop.settle();
      expect(await shop.row(outRefundNo)).toMatchObject({ status: 'success' });
    },
  );
});
