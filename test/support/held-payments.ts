import { randomUUID } from 'node:crypto';
import type { Test } from 'supertest';
import { adminClient, insertToken } from './admin.js';
import type { AdminClient } from './admin.js';
import type { TestApplication } from './application.js';
import { insertOrderRow, newOutTradeNo } from './builders.js';
import type { OrderRowValues } from './builders.js';
import { exceptionIdOf } from './exceptions.js';
import { RefundBackend } from './refund-backend.js';
import { openidOf } from './wechatpay-backend.js';

type Held = { readonly id: string; readonly outTradeNo: string; readonly userId: string };

/** Two replicas of the backend with an operator at each, and payments that are held. */
export class HeldPayments {
  private constructor(
    readonly shop: RefundBackend,
    private readonly replica: TestApplication,
    readonly olga: AdminClient,
    readonly oleg: AdminClient,
  ) {}

  static async start(): Promise<HeldPayments> {
    const shop = await RefundBackend.start('wechatpay');
    const replica = await shop.backend.startReplica({ REFUND_CHANNEL: 'wechatpay' });
    await replica.whenAvailable();
    const clientOf = async (application: TestApplication, name: string) =>
      adminClient(application, await insertToken(shop.database, 'operator', { name }));
    const olga = await clientOf(shop.backend.application, 'olga');
    return new HeldPayments(shop, replica, olga, await clientOf(replica, 'oleg'));
  }

  /** An order that was paid at WeChat Pay, and is held because 12.34 yuan is no price. */
  async held(row: Partial<OrderRowValues> = {}): Promise<Held> {
    const { simulator, backend, database } = this.shop;
    const outTradeNo = row.out_trade_no ?? newOutTradeNo();
    simulator.placeOrder({ outTradeNo, totalFen: 1234, openid: openidOf(outTradeNo) });
    backend.pay(outTradeNo);
    const { payment } = simulator.ledger.getOrder(outTradeNo);
    const { user_id: userId } = await insertOrderRow(database, {
      out_trade_no: outTradeNo,
      amount: '12.34',
      status: 'paid',
      transaction_id: payment?.transactionId ?? null,
      paid_at: new Date(),
      ...row,
    });
    await backend.sweep();
    return { id: await exceptionIdOf(database, 'payment_held', outTradeNo), outTradeNo, userId };
  }

  async shown(id: string): Promise<Record<string, unknown>> {
    const { body } = await this.olga.get(`/exceptions/${id}`).expect(200);
    return (body as { data: Record<string, unknown> }).data;
  }

  async stop(): Promise<void> {
    await this.replica.stop();
    await this.shop.stop();
  }
}

export function grant(by: AdminClient, id: string, packageType = 'premium', note = '客户补差价'): Test {
  return by.post(`/exceptions/${id}/grant`, { packageType, note });
}

export function refund(
  by: AdminClient,
  id: string,
  body: Record<string, unknown> = {},
  key: string = randomUUID(),
): Test {
  return by.post(`/exceptions/${id}/refund`, { note: '金额不符', ...body }).set('Idempotency-Key', key);
}
