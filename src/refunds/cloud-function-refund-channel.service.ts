import { Injectable } from '@nestjs/common';
import { CloudFunctionService } from '../cloud-function/cloud-function.service.js';
import { Clock } from '../shared/clock.js';
import type { ChannelAnswer, RefundChannel } from './refund-channel.types.js';
import type { RefundOrderToSend } from './refunds.types.js';

/** Sends refunds through the shop's cloud function. Its answers are hearsay: they prove nothing against a query. */
@Injectable()
export class CloudFunctionRefundChannel implements RefundChannel {
  constructor(
    private readonly cloudFunction: CloudFunctionService,
    private readonly clock: Clock,
  ) {}

  async send(order: RefundOrderToSend): Promise<ChannelAnswer> {
    const answer = await this.cloudFunction.refund(order);
    if (answer.kind === 'unknown') {
      return { ...answer, pauseMs: 0, isMisconfigured: false };
    }
    const { refundId, status } = answer;
    const { outRefundNo, outTradeNo, transactionId, refundAmount, orderAmount } = order;
    return {
      kind: 'relayed',
      report: {
        outRefundNo,
        outTradeNo,
        refundId,
        transactionId,
        status,
        refundAmount,
        orderAmount,
        // The function does not tell WeChat Pay's time: when we heard of it is the nearest there is.
        succeededAt: status === 'SUCCESS' ? this.clock.now() : null,
        source: 'cloud-function',
      },
    };
  }
}
