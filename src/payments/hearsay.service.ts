import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { OutTradeNo } from '../shared/ids.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import { OrderQueriesRepository } from './order-queries.repository.js';
import type { PaidClaim } from './payments.types.js';

/** Claims that WeChat Pay itself did not make. */
@Injectable()
export class HearsayService {
  constructor(
    private readonly queries: OrderQueriesRepository,
    private readonly wechatpay: WechatpayService,
  ) {}

  /** True of a claim that WeChat Pay did not make and can be asked about. */
  isConfirmable(claim: PaidClaim): boolean {
    return this.wechatpay.isConfigured && !claim.evidence && claim.source !== 'wechat-unreachable';
  }

  /** Hearsay is confirmed where that is possible. True when WeChat Pay is being asked. */
  async confirm(tx: Tx, claim: PaidClaim): Promise<boolean> {
    return this.isConfirmable(claim) && this.ask(tx, claim.outTradeNo);
  }

  /** Of orders that are locked by `tx`, and of which {@link isConfirmable} said yes. */
  async askAll(tx: Tx, outTradeNos: readonly OutTradeNo[]): Promise<void> {
    await this.queries.planAll(tx, outTradeNos);
  }

  /** True when WeChat Pay is being asked about the order. */
  async ask(tx: Tx, outTradeNo: OutTradeNo): Promise<boolean> {
    if (!this.wechatpay.isConfigured) return false;
    await this.queries.plan(tx, outTradeNo, 0);
    return true;
  }
}
