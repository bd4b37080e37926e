import { Injectable } from '@nestjs/common';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { scrubError } from '../platform/logging/scrub.js';
import { DomainError } from '../shared/domain-error.js';
import { isOutTradeNo } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { OrderQueriesService } from './order-queries.service.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';

/** Somebody looks at a screen: a slow WeChat Pay must not make them wait longer. */
const ASK_DEADLINE_MS = 1_500;

export type OrderStatusView = {
  readonly outTradeNo: string;
  readonly status: string;
  readonly packageType: string;
  /** Yuan, two decimals. */
  readonly amount: string | null;
  readonly paidAt: string | null;
  /** True once the user has what was paid for. */
  readonly granted: boolean;
};

/** Repair on read: a pending order is asked about before it is shown. */
@Injectable()
export class OrderStatusService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly orders: PaymentOrdersRepository,
    private readonly queries: OrderQueriesService,
    private readonly wechatpay: WechatpayService,
    private readonly logger: AppLogger,
  ) {}

  async get(given: string): Promise<OrderStatusView> {
    if (!isOutTradeNo(given))
      throw new DomainError('invalid_request', 'invalid', 'This is no merchant order number.');
    const view = await this.read(given);
    if (view && view.status !== 'pending') return view;
    await this.askQuickly(given);
    const repaired = await this.read(given);
    if (!repaired) throw new DomainError('not_found', 'not_found', 'No such order is known.');
    return repaired;
  }

  private async askQuickly(outTradeNo: OutTradeNo): Promise<void> {
    if (!this.wechatpay.isConfigured) return;
    try {
      await this.queries.askNow(outTradeNo, { deadlineMs: ASK_DEADLINE_MS });
    } catch (error) {
      // The stored state is still an answer; the job goes on asking.
      this.logger.warned('order.not_asked', { outTradeNo, reason: scrubError(error).message });
    }
  }

  private async read(outTradeNo: OutTradeNo): Promise<OrderStatusView | null> {
    return this.orders.findStatus(this.unitOfWork.reader, outTradeNo);
  }
}
