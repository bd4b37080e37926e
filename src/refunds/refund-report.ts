import type { WechatpayRefund } from '../wechatpay/wechatpay.types.js';
import type { ReportedRefund } from './refunds.types.js';

/** WeChat Pay's word on a refund. */
export function toReport(refund: WechatpayRefund, source: ReportedRefund['source']): ReportedRefund {
  const { outRefundNo, outTradeNo, refundId, transactionId, status, refundAmount, orderAmount } = refund;
  return {
    outRefundNo,
    outTradeNo,
    refundId,
    transactionId,
    status,
    refundAmount,
    orderAmount,
    succeededAt: refund.succeededAt,
    source,
  };
}
