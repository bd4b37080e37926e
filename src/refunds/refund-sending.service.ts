import { Injectable } from '@nestjs/common';
import { CloudFunctionService } from '../cloud-function/cloud-function.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { PaymentsService } from '../payments/payments.service.js';
import type { OutTradeNo } from '../shared/ids.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { CloudFunctionRefundChannel } from './cloud-function-refund-channel.service.js';
import type { ChannelAnswer, RefundChannel } from './refund-channel.types.js';
import { ORDER_GAP_SECONDS } from './refund-schedule.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';
import type { SettlementRecord } from './refund-settlements.repository.js';
import type { RefundOrderToSend } from './refunds.types.js';
import { WechatpayRefundChannel } from './wechatpay-refund-channel.service.js';

export type Sent =
  | { readonly kind: 'answer'; readonly answer: ChannelAnswer }
  /** Another refund of the order went out a moment ago. */
  | { readonly kind: 'waits'; readonly ms: number }
  /** Settled meanwhile: nothing was sent. */
  | { readonly kind: 'over' };

/** Sends one refund: commits that it goes out, then calls, with no transaction open. */
@Injectable()
export class RefundSendingService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly settlements: RefundSettlementsRepository,
    private readonly payments: PaymentsService,
    private readonly wechatpay: WechatpayService,
    private readonly cloudFunction: CloudFunctionService,
    private readonly direct: WechatpayRefundChannel,
    private readonly throughFunction: CloudFunctionRefundChannel,
  ) {}

  async send({ outRefundNo, outTradeNo }: SettlementRecord): Promise<Sent> {
    const ready = await this.unitOfWork.run((tx) => this.prepare(tx, outRefundNo, outTradeNo as OutTradeNo));
    if (ready.kind !== 'ready') return ready;
    return { kind: 'answer', answer: await ready.channel.send(ready.order) };
  }

  /** Under the order's lock, so that two refunds of one order keep their distance whoever sends them. */
  private async prepare(
    tx: Tx,
    outRefundNo: string,
    outTradeNo: OutTradeNo,
  ): Promise<
    | Exclude<Sent, { kind: 'answer' }>
    | (Ready & { kind: 'ready' })
    | { kind: 'answer'; answer: ChannelAnswer }
  > {
    await this.payments.lockForRefund(tx, outTradeNo);
    const refund = await this.settlements.lock(tx, outRefundNo);
    if (!refund || refund.origin !== 'operator' || refund.status !== 'pending') return { kind: 'over' };
    const { refundAmount, orderAmount } = refund;
    if (!refundAmount || !orderAmount) throw new Error('a refund of ours has its amounts');
    const channel = this.channelOf(refund);
    if (!channel) return { kind: 'answer', answer: CHANNEL_MISSING };
    const waitMs = await this.settlements.waitForGapMs(tx, outTradeNo, {
      than: outRefundNo,
      seconds: ORDER_GAP_SECONDS,
    });
    // What has gone out already is not a new refund to WeChat Pay: it need not wait.
    if (waitMs > 0 && refund.stage === 'requested') return { kind: 'waits', ms: waitMs };
    await this.settlements.markSent(tx, outRefundNo);
    const order = {
      outRefundNo,
      outTradeNo,
      transactionId: refund.transactionId,
      refundAmount,
      orderAmount,
      reason: refund.reason ?? '',
    };
    return { kind: 'ready', channel, order };
  }

  /** The one it was first sent by: another one says the same in other words, which WeChat Pay refuses. */
  private channelOf({ channel }: SettlementRecord): RefundChannel | null {
    if (channel === 'wechatpay') return this.wechatpay.isConfigured ? this.direct : null;
    return this.cloudFunction.isConfigured ? this.throughFunction : null;
  }
}

type Ready = { readonly channel: RefundChannel; readonly order: RefundOrderToSend };

const CHANNEL_MISSING: ChannelAnswer = {
  kind: 'unknown',
  reason: 'channel_missing',
  words: 'The channel it was asked for through is not configured any more.',
  pauseMs: 0,
  isMisconfigured: true,
};
