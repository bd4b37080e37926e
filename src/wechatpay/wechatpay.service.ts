import { Inject, Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import type { WechatpayConfig } from '../platform/config/wechatpay-config.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { Clock } from '../shared/clock.js';
import { DomainError } from '../shared/domain-error.js';
import type { OutTradeNo } from '../shared/ids.js';
import { openCallback } from './wechatpay-callback.js';
import { WechatpayClient } from './wechatpay.client.js';
import type {
  AbnormalRefundRequest,
  AskOptions,
  FundFlowBillRequest,
  ReceivedCallback,
  RefundRequest,
  TradeBillRequest,
  WechatpayBillRefund,
  WechatpayBillTicket,
  WechatpayNotification,
  WechatpayOrder,
  WechatpayRefund,
} from './wechatpay.types.js';

/** The part of the configuration that speaks of WeChat Pay; null or absent where the channel is not configured. */
type ChannelConfig = { readonly wechatpay?: WechatpayConfig | null };

/**
 * WeChat Pay for the features. Works without credentials, too: `isConfigured` is then false and every call throws a
 * DomainError `wechatpay_not_configured`. What the calls throw otherwise is said at {@link WechatpayClient} and
 * `WechatpayOutcome`.
 */
@Injectable()
export class WechatpayService implements OnApplicationShutdown {
  private readonly config: WechatpayConfig | null;
  private readonly client: WechatpayClient | null;

  constructor(
    @Inject(AppConfig) config: ChannelConfig,
    private readonly clock: Clock,
    logger: AppLogger,
  ) {
    this.config = config.wechatpay ?? null;
    this.client = this.config && new WechatpayClient(this.config, clock, logger);
  }

  get isConfigured(): boolean {
    return this.client !== null;
  }

  async queryByOutTradeNo(outTradeNo: OutTradeNo, options?: AskOptions): Promise<WechatpayOrder> {
    return this.configuredClient().queryByOutTradeNo(outTradeNo, options);
  }

  async queryByTransactionId(transactionId: string, options?: AskOptions): Promise<WechatpayOrder> {
    return this.configuredClient().queryByTransactionId(transactionId, options);
  }

  async closeOrder(outTradeNo: OutTradeNo): Promise<void> {
    return this.configuredClient().closeOrder(outTradeNo);
  }

  async createRefund(request: RefundRequest): Promise<WechatpayRefund> {
    return this.configuredClient().createRefund(request);
  }

  async queryRefund(outRefundNo: string, options?: AskOptions): Promise<WechatpayRefund> {
    return this.configuredClient().queryRefund(outRefundNo, options);
  }

  async applyAbnormalRefund(request: AbnormalRefundRequest): Promise<WechatpayRefund> {
    return this.configuredClient().applyAbnormalRefund(request);
  }

  async tradeBill(request: TradeBillRequest): Promise<WechatpayBillTicket> {
    return this.configuredClient().tradeBill(request);
  }

  async fundFlowBill(request: FundFlowBillRequest): Promise<WechatpayBillTicket> {
    return this.configuredClient().fundFlowBill(request);
  }

  async downloadBill(ticket: WechatpayBillTicket): Promise<Buffer> {
    return this.configuredClient().downloadBill(ticket);
  }

  async refundsOfDay(billDate: string): Promise<WechatpayBillRefund[]> {
    return this.configuredClient().refundsOfDay(billDate);
  }

  /** @throws WechatpayCallbackRefused when the message must have no effect */
  readCallback(received: ReceivedCallback): WechatpayNotification {
    if (!this.config) throw notConfigured();
    const { platformKeys, apiV3Key } = this.config;
    return openCallback(received, {
      platformKeys,
      apiV3Key,
      merchant: this.config,
      nowMs: this.clock.nowMs(),
    });
  }

  /** Last: jobs and requests under way still ask. */
  onApplicationShutdown(): void {
    this.client?.close();
  }

  private configuredClient(): WechatpayClient {
    if (!this.client) throw notConfigured();
    return this.client;
  }
}

function notConfigured(): DomainError {
  return new DomainError(
    'wechatpay_not_configured',
    'unavailable',
    'WeChat Pay is not configured: set the WECHAT_… variables and start again.',
  );
}
