import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { RefundsModule } from '../refunds/refunds.module.js';
import { WechatpayModule } from '../wechatpay/wechatpay.module.js';
import { BillCheck } from './bill-check.entity.js';
import { BillChecksRepository } from './bill-checks.repository.js';
import { RefundBillsJob } from './refund-bills.job.js';
import { RefundBillsService } from './refund-bills.service.js';

/** What WeChat Pay's books say against ours. */
@Module({
  imports: [TypeOrmModule.forFeature([BillCheck]), RefundsModule, WechatpayModule],
  providers: [BillChecksRepository, RefundBillsService, RefundBillsJob],
})
export class ReconciliationModule {}
