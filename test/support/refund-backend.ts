import { randomUUID } from 'node:crypto';
import { RefundSettlementService } from '../../src/refunds/refund-settlement.service.js';
import { RefundSweepService } from '../../src/refunds/refund-sweep.service.js';
import { RefundsService } from '../../src/refunds/refunds.service.js';
import type { RefundView } from '../../src/refunds/refunds.types.js';
import { Money } from '../../src/shared/money.js';
import type { OutTradeNo } from '../../src/shared/ids.js';
import type { TestApplication } from './application.js';
import { insertOrderRow, newOutTradeNo } from './builders.js';
import { startCloudFunctionStandIn } from './cloud-function-stand-in.ts';
import type { CloudFunctionStandIn } from './cloud-function-stand-in.ts';
import type { TestDatabase } from './database.js';
import { readOrder } from './payments.js';
import type { OrderState } from './payments.js';
import { noLease, openidOf, WechatpayBackend } from './wechatpay-backend.js';
import type { WechatPaySimulator } from './wechatpay-simulator/simulator.ts';
import { statusOf } from './wechatpay-simulator/ledger.ts';

/** How refunds leave: directly; through the function, WeChat Pay being asked; or through the function alone. */
export const REFUND_WAYS = ['wechatpay', 'cloud-function', 'function-alone'] as const;
export type RefundWay = (typeof REFUND_WAYS)[number];

const WINDOW_SECONDS = 600;
const OPERATOR = { name: 'admin:test' };

type SettlementRow = {
  out_refund_no: string;
  status: string;
  stage: string;
  origin: string;
  sends: number;
  asks: number;
  refund_fen: string | null;
  due_in_s: number | null;
  last_answer: string | null;
};

/** The backend with a WeChat Pay and a refund function of its own. Its jobs run only where a test calls them. */
export class RefundBackend {
  private constructor(
    readonly way: RefundWay,
    readonly backend: WechatpayBackend,
    readonly standIn: CloudFunctionStandIn,
  ) {}

  static async start(way: RefundWay, env: Record<string, string> = {}): Promise<RefundBackend> {
    const holder: { simulator?: WechatPaySimulator } = {};
    const standIn = await startCloudFunctionStandIn({
      wechatpay: {
        requestRefund: (body) => {
          if (!holder.simulator) throw new Error('the simulator has not been started');
          return holder.simulator.requestRefund(body);
        },
      },
    });
    const channel = way === 'wechatpay' ? { REFUND_CHANNEL: 'wechatpay' } : standIn.env;
    const backend = await WechatpayBackend.start({
      env: { ...channel, ...env },
      isConnected: way !== 'function-alone',
    });
    holder.simulator = backend.simulator;
    if (way === 'function-alone') backend.simulator.settings.refundNotifyUrl = null;
    backend.simulator.settings.refundGapMs = 0;
    return new RefundBackend(way, backend, standIn);
  }

  get simulator(): WechatPaySimulator {
    return this.backend.simulator;
  }

  get database(): TestDatabase {
    return this.backend.database;
  }

  /** An order that was paid and granted. Its amount is made the price of its package. */
  async paidOrder(
    order: { yuan?: string; userId?: string; packageType?: 'basic' | 'premium' } = {},
  ): Promise<string> {
    const { yuan = '29.90', packageType = 'premium' } = order;
    const outTradeNo = newOutTradeNo();
    const amount = Money.ofYuan(yuan);
    await this.database.query(
      "INSERT INTO price_configs (package_type, amount_fen, effective_at, author) VALUES (?, ?, NOW(3) - INTERVAL 1 HOUR, 'test')",
      [packageType, amount.fen],
    );
    this.simulator.placeOrder({ outTradeNo, totalFen: amount.fen, openid: openidOf(outTradeNo) });
    this.backend.pay(outTradeNo);
    const { payment } = this.simulator.ledger.getOrder(outTradeNo);
    await insertOrderRow(this.database, {
      out_trade_no: outTradeNo,
      amount: yuan,
      package_type: packageType,
      status: 'paid',
      transaction_id: payment?.transactionId ?? null,
      paid_at: new Date(),
      ...(order.userId && { user_id: order.userId }),
    });
    await this.backend.sweep();
    return outTradeNo;
  }

  request(
    outTradeNo: string,
    yuan: string,
    options: { key?: string; reason?: string; on?: TestApplication } = {},
  ): Promise<RefundView> {
    const { key = randomUUID(), reason = 'changed their mind', on = this.backend.application } = options;
    return on.app.get(RefundsService).requestRefund({
      outTradeNo: outTradeNo as OutTradeNo,
      amount: Money.ofYuan(yuan),
      reason,
      idempotencyKey: key,
      by: OPERATOR,
    });
  }

  retry(outRefundNo: string): Promise<RefundView> {
    return this.backend.application.app.get(RefundsService).retry(outRefundNo, OPERATOR);
  }

  view(outRefundNo: string): Promise<RefundView> {
    return this.backend.application.app.get(RefundsService).get(outRefundNo);
  }

  /** Does what is due now. */
  async settleDue(on: TestApplication = this.backend.application): Promise<void> {
    await on.app.get(RefundSettlementService).settleDue(noLease());
  }

  /** Does what is open, as if its time had come and the last refund of each order were long ago. */
  async settle(): Promise<void> {
    await this.database.query(
      'UPDATE refund_settlements SET sent_at = sent_at - INTERVAL 1 HOUR, due_at = IF(due_at IS NULL, NULL, NOW(3))',
    );
    await this.settleDue();
  }

  /** WeChat Pay has moved the money of everything it has accepted; its notices go out. */
  async finish(): Promise<void> {
    await this.simulator.advance(10 * 60_000);
    await this.backend.drain();
  }

  /** As long as it takes until nothing of the order is open. */
  async settleUntilDone(outTradeNo: string): Promise<void> {
    for (let round = 0; round < 60; round += 1) {
      const open = await this.database.query(
        "SELECT out_refund_no FROM refund_settlements WHERE out_trade_no = ? AND status = 'pending'",
        [outTradeNo],
      );
      if (open.length === 0) return;
      await this.settle();
      await this.finish();
    }
    throw new Error(`the refunds of ${outTradeNo} do not come to an end`);
  }

  async sweep(): Promise<void> {
    await this.backend.application.app.get(RefundSweepService).sweepRecent(WINDOW_SECONDS, noLease());
  }

  async settlement(outRefundNo: string): Promise<SettlementRow | undefined> {
    const [row] = await this.database.query<SettlementRow>(
      `SELECT *, TIMESTAMPDIFF(MICROSECOND, NOW(3), due_at) / 1e6 AS due_in_s
         FROM refund_settlements WHERE out_refund_no = ?`,
      [outRefundNo],
    );
    return row && { ...row, due_in_s: row.due_in_s === null ? null : Number(row.due_in_s) };
  }

  row(outRefundNo: string): Promise<Record<string, unknown> | undefined> {
    return this.database
      .query('SELECT * FROM refunds WHERE out_refund_no = ?', [outRefundNo])
      .then(([row]) => row);
  }

  order(outTradeNo: string): Promise<OrderState> {
    return readOrder(this.database, outTradeNo);
  }

  exceptionsAbout(subject: string): Promise<{ kind: string; status: string; reason: string }[]> {
    return this.database.query('SELECT kind, status, reason FROM exceptions WHERE subject = ? ORDER BY id', [
      subject,
    ]);
  }

  /** The truth: what WeChat Pay has paid back of the order, or will. */
  refundsAtWechat(outTradeNo: string): { outRefundNo: string; fen: number; status: string }[] {
    const order = this.simulator.ledger.getOrder(outTradeNo);
    return this.simulator.ledger.refundsOf(order).map((refund) => ({
      outRefundNo: refund.outRefundNo,
      fen: refund.refundFen,
      status: statusOf(refund),
    }));
  }

  async stop(): Promise<void> {
    await this.backend.stop();
    await this.standIn.close();
  }
}
