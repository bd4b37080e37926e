import { Injectable } from '@nestjs/common';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { WechatpayError } from '../wechatpay/wechatpay.types.js';
import type { ChannelAnswer, RefundChannel } from './refund-channel.types.js';
import { toReport } from './refund-report.js';
import type { RefundOrderToSend } from './refunds.types.js';

const NOT_ENOUGH = 'NOTENOUGH';

/** Sends refunds to WeChat Pay itself. */
@Injectable()
export class WechatpayRefundChannel implements RefundChannel {
  constructor(private readonly wechatpay: WechatpayService) {}

  async send(order: RefundOrderToSend): Promise<ChannelAnswer> {
    const { outRefundNo, outTradeNo, transactionId, refundAmount, orderAmount, reason } = order;
    try {
      const refund = await this.wechatpay.createRefund({
        order: transactionId ? { transactionId } : { outTradeNo },
        outRefundNo,
        refundAmount,
        orderAmount,
        reason,
      });
      return { kind: 'reported', report: toReport(refund, 'wechat-answer') };
    } catch (error) {
      if (error instanceof WechatpayError) return toAnswer(error);
      throw error;
    }
  }
}

function toAnswer(error: WechatpayError): ChannelAnswer {
  const { outcome, reason, message: words } = error;
  if (reason === NOT_ENOUGH) return { kind: 'not_enough', words };
  // Of a refund that is created, "not found" speaks of the order: it was never paid there.
  if (outcome === 'final' || outcome === 'not_found') return { kind: 'refused', reason, words };
  return {
    kind: 'unknown',
    reason,
    words,
    pauseMs: error.retryAfterMs ?? 0,
    isMisconfigured: outcome === 'misconfigured',
  };
}
