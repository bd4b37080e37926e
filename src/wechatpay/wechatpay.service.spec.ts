import { describe, expect, it } from 'vitest';
import type { AppLogger } from '../platform/logging/app-logger.js';
import { Clock } from '../shared/clock.js';
import { DomainError } from '../shared/domain-error.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import { WechatpayService } from './wechatpay.service.js';

const OUT_TRADE_NO = '170634567890112345' as OutTradeNo;
const logger = {} as AppLogger;

describe('WechatpayService without credentials', () => {
  const service = new WechatpayService({ wechatpay: null }, new Clock(), logger);

  it('says that it is not configured, and can be stopped', () => {
    expect(service.isConfigured).toBe(false);
    expect(new WechatpayService({}, new Clock(), logger).isConfigured).toBe(false);
    service.onApplicationShutdown();
  });

  it('refuses every call as unavailable', async () => {
    const refund = { outRefundNo: 'refund-1', refundAmount: Money.ofFen(1), orderAmount: Money.ofFen(1) };
    const calls: (() => Promise<unknown>)[] = [
      () => service.queryByOutTradeNo(OUT_TRADE_NO),
      () => service.queryByTransactionId('4200'),
      () => service.closeOrder(OUT_TRADE_NO),
      () => service.createRefund({ ...refund, order: { outTradeNo: OUT_TRADE_NO } }),
      () => service.queryRefund('refund-1'),
      () =>
        service.applyAbnormalRefund({
          refundId: '1',
          outRefundNo: 'refund-1',
          target: { type: 'MERCHANT_BANK_CARD' },
        }),
      () => service.tradeBill({ billDate: '2026-01-27' }),
      () => service.fundFlowBill({ billDate: '2026-01-27' }),
      () => service.downloadBill({ sha1: '', token: '', tarType: null }),
      async () => service.readCallback({ headers: {}, rawBody: Buffer.alloc(0) }),
    ];
    for (const call of calls) {
      const error: unknown = await call().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(DomainError);
      expect(error).toMatchObject({ code: 'wechatpay_not_configured', kind: 'unavailable' });
    }
  });
});
