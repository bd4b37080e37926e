import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CloudFunctionModule } from '../cloud-function/cloud-function.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { WechatpayModule } from '../wechatpay/wechatpay.module.js';
import { AbnormalRefundsService } from './abnormal-refunds.service.js';
import { CloudFunctionRefundChannel } from './cloud-function-refund-channel.service.js';
import { ForeignRefundsService } from './foreign-refunds.service.js';
import { RefundChangesRepository } from './refund-changes.repository.js';
import { RefundConsequencesService } from './refund-consequences.service.js';
import { RefundQuestionsService } from './refund-questions.service.js';
import { RefundRecordsService } from './refund-records.service.js';
import { RefundSendingService } from './refund-sending.service.js';
import { RefundSettlement } from './refund-settlement.entity.js';
import { RefundSettlementService } from './refund-settlement.service.js';
import { RefundSettlementsRepository } from './refund-settlements.repository.js';
import { RefundSweepService } from './refund-sweep.service.js';
import { RefundViewsRepository } from './refund-views.repository.js';
import { Refund } from './refund.entity.js';
import { RefundsJob } from './refunds.job.js';
import { RefundsRepository } from './refunds.repository.js';
import { RefundsService } from './refunds.service.js';
import { WechatpayRefundChannel } from './wechatpay-refund-channel.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([Refund, RefundSettlement]),
    PaymentsModule,
    WechatpayModule,
    CloudFunctionModule,
  ],
  providers: [
    AbnormalRefundsService,
    RefundsRepository,
    RefundSettlementsRepository,
    RefundChangesRepository,
    RefundViewsRepository,
    WechatpayRefundChannel,
    CloudFunctionRefundChannel,
    RefundQuestionsService,
    RefundSendingService,
    RefundConsequencesService,
    RefundRecordsService,
    ForeignRefundsService,
    RefundSettlementService,
    RefundSweepService,
    RefundsJob,
    RefundsService,
  ],
  exports: [RefundsService, AbnormalRefundsService, RefundRecordsService, ForeignRefundsService],
})
export class RefundsModule {}
