import { Injectable } from '@nestjs/common';
import { ErrorLogService } from '../platform/logging/error-log.service.js';
import type { OutTradeNo } from '../shared/ids.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { WechatpayError } from '../wechatpay/wechatpay.types.js';
import type { NoAnswer } from './refund-channel.types.js';
import type { PaymentWord } from './refund-rules.js';
import type { ReportedRefund } from './refunds.types.js';
import { toReport } from './refund-report.js';

const PAYMENT_DEADLINE_MS = 1_500;

/** What WeChat Pay says of a refund, or that it says nothing. */
export type RefundWord =
  | { readonly kind: 'reported'; readonly report: ReportedRefund }
  /** It never accepted such a refund. */
  | { readonly kind: 'not_found' }
  | { readonly kind: 'nobody_to_ask' }
  | NoAnswer;

/** Asks WeChat Pay what became of a refund; its signed answer settles what nobody else can. */
@Injectable()
export class RefundQuestionsService {
  constructor(
    private readonly wechatpay: WechatpayService,
    private readonly errors: ErrorLogService,
  ) {}

  get canAsk(): boolean {
    return this.wechatpay.isConfigured;
  }

  async ask(outRefundNo: string): Promise<RefundWord> {
    try {
      return {
        kind: 'reported',
        report: toReport(await this.wechatpay.queryRefund(outRefundNo), 'wechat-query'),
      };
    } catch (error) {
      if (!(error instanceof WechatpayError)) throw error;
      const { outcome, reason, message: words } = error;
      // A number that WeChat Pay would not take is one it cannot know: rows of others may carry any.
      if (outcome === 'not_found' || reason === 'impossible_number') return { kind: 'not_found' };
      const isMisconfigured = outcome === 'misconfigured';
      if (isMisconfigured) this.errors.record('wechatpay.misconfigured', error, { outRefundNo, reason });
      return { kind: 'unknown', reason, words, pauseMs: error.retryAfterMs ?? 0, isMisconfigured };
    }
  }

  /**
   * What WeChat Pay says was paid for the order: its amount counts where a row says another one. Somebody waits, and the
   * rules hold without it: no answer within a moment is null.
   */
  async findPayment(outTradeNo: OutTradeNo): Promise<PaymentWord | null> {
    if (!this.canAsk) return null;
    try {
      const order = await this.wechatpay.queryByOutTradeNo(outTradeNo, { deadlineMs: PAYMENT_DEADLINE_MS });
      if (order.state !== 'paid') return { kind: 'not_paid' };
      return { kind: 'paid', amount: order.amount, transactionId: order.transactionId };
    } catch (error) {
      // Also of "no such order", which is said without a signature.
      if (error instanceof WechatpayError) return null;
      throw error;
    }
  }
}
