import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GenerationsModule } from '../generations/generations.module.js';
import { PricesModule } from '../prices/prices.module.js';
import { UsersModule } from '../users/users.module.js';
import { WechatpayModule } from '../wechatpay/wechatpay.module.js';
import { HearsayService } from './hearsay.service.js';
import { HeldOrdersRepository } from './held-orders.repository.js';
import { HoldsService } from './holds.service.js';
import { OperatorGrantsService } from './operator-grants.service.js';
import { OrderBackupsService } from './order-backups.service.js';
import { OrderGrantsService } from './order-grants.service.js';
import { OrderListRepository } from './order-list.repository.js';
import { OrderQueriesJob } from './order-queries.job.js';
import { OrderQueriesRepository } from './order-queries.repository.js';
import { OrderQueriesService } from './order-queries.service.js';
import { OrderQuery } from './order-query.entity.js';
import { OrderStatusController } from './order-status.controller.js';
import { OrderStatusService } from './order-status.service.js';
import { OrderRemarksRepository } from './order-remarks.repository.js';
import { OrdersService } from './orders.service.js';
import { PaidSweepJob } from './paid-sweep.job.js';
import { PaidSweepService } from './paid-sweep.service.js';
import { PaymentLog } from './payment-log.entity.js';
import { PaymentLogsRepository } from './payment-logs.repository.js';
import { PaymentLogsService } from './payment-logs.service.js';
import { PaymentOrder } from './payment-order.entity.js';
import { PaidFactsRepository } from './paid-facts.repository.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import { PaymentsService } from './payments.service.js';
import { PendingOrdersRepository } from './pending-orders.repository.js';
import { PendingOrdersService } from './pending-orders.service.js';
import { RefundedOrdersRepository } from './refunded-orders.repository.js';
import { RefundedSweepService } from './refunded-sweep.service.js';
import { UsualPaymentsService } from './usual-payments.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([PaymentOrder, PaymentLog, OrderQuery]),
    GenerationsModule,
    PricesModule,
    UsersModule,
    WechatpayModule,
  ],
  controllers: [OrderStatusController],
  providers: [
    PaymentOrdersRepository,
    PaymentsService,
    PaidFactsRepository,
    UsualPaymentsService,
    OrderGrantsService,
    HeldOrdersRepository,
    HoldsService,
    OperatorGrantsService,
    HearsayService,
    OrderBackupsService,
    PaidSweepService,
    RefundedOrdersRepository,
    RefundedSweepService,
    PaidSweepJob,
    OrderQueriesRepository,
    OrderQueriesService,
    OrderQueriesJob,
    OrderStatusService,
    OrderListRepository,
    OrderRemarksRepository,
    OrdersService,
    PendingOrdersRepository,
    PendingOrdersService,
    PaymentLogsRepository,
    PaymentLogsService,
  ],
  exports: [
    PaymentsService,
    UsualPaymentsService,
    OrderBackupsService,
    OperatorGrantsService,
    OrderQueriesService,
    OrdersService,
    PaymentLogsService,
  ],
})
export class PaymentsModule {}
