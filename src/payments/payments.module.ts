import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GenerationsModule } from '../generations/generations.module.js';
import { PricesModule } from '../prices/prices.module.js';
import { UsersModule } from '../users/users.module.js';
import { OrderBackupsService } from './order-backups.service.js';
import { PaidSweepJob } from './paid-sweep.job.js';
import { PaidSweepService } from './paid-sweep.service.js';
import { PaymentLog } from './payment-log.entity.js';
import { PaymentOrder } from './payment-order.entity.js';
import { PaymentOrdersRepository } from './payment-orders.repository.js';
import { PaymentsService } from './payments.service.js';

@Module({
  imports: [
    TypeOrmModule.forFeature([PaymentOrder, PaymentLog]),
    GenerationsModule,
    PricesModule,
    UsersModule,
  ],
  providers: [PaymentOrdersRepository, PaymentsService, OrderBackupsService, PaidSweepService, PaidSweepJob],
  exports: [PaymentsService, OrderBackupsService],
})
export class PaymentsModule {}
