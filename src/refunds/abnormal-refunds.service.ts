import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { Actor } from '../shared/actor.js';
import { DomainError } from '../shared/domain-error.js';
import { WechatpayService } from '../wechatpay/wechatpay.service.js';
import type { AbnormalRefundRequest } from '../wechatpay/wechatpay.types.js';
import { RefundRecordsService } from './refund-records.service.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';
import { RefundsRepository } from './refunds.repository.js';
import { toReport } from './refund-report.js';

/** The money of an abnormal refund has left the merchant and did not arrive: it is sent elsewhere, and never refunded anew. */
@Injectable()
export class AbnormalRefundsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly settlements: RefundSettlementsRepository,
    private readonly refunds: RefundsRepository,
    private readonly records: RefundRecordsService,
    private readonly wechatpay: WechatpayService,
    private readonly audit: AuditService,
  ) {}

  /**
   * Has WeChat Pay send the money to another card. The card's number and the name go to WeChat Pay, encrypted, and are
   * kept nowhere here.
   * @throws DomainError `conflict` when the refund is not abnormal, or WeChat Pay refuses; `unavailable` when it does not answer
   */
  async redirect(given: string, target: AbnormalRefundRequest['target'], by: Actor): Promise<void> {
    const numbers = await this.unitOfWork.run((tx) => this.prepare(tx, given, target.type, by));
    const refund = await this.wechatpay.applyAbnormalRefund({ ...numbers, target });
    await this.unitOfWork.run((tx) => this.records.recordReported(tx, toReport(refund, 'wechat-answer')));
  }

  /** The numbers as the tables have them: their columns compare without case, and WeChat Pay does not. */
  private async prepare(
    tx: Tx,
    given: string,
    type: string,
    by: Actor,
  ): Promise<{ outRefundNo: string; refundId: string }> {
    const refund = await this.settlements.lock(tx, given);
    if (!refund) throw new DomainError('not_found', 'not_found', 'No such refund is known.');
    const { outRefundNo } = refund;
    const refundId = await this.refunds.findRefundId(tx, outRefundNo);
    if (refund.status !== 'abnormal' || !refundId) {
      throw new DomainError(
        'refund_not_abnormal',
        'conflict',
        `This refund is ${refund.status}: only the money of an abnormal one can be sent elsewhere.`,
      );
    }
    await this.audit.append(tx, {
      actor: by,
      action: 'refund.redirected',
      targetType: 'refund',
      targetId: outRefundNo,
      after: { target: type },
    });
    return { outRefundNo, refundId };
  }
}
