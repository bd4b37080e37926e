import { Module } from '@nestjs/common';
import { PaymentsModule } from '../payments/payments.module.js';
import { InternalNotificationsController } from './internal-notifications.controller.js';
import { InternalNotificationsService } from './internal-notifications.service.js';
import { OrderCreatedHandler } from './order-created.handler.js';
import { PaymentNotifiedHandler } from './payment-notified.handler.js';

@Module({
  imports: [PaymentsModule],
  controllers: [InternalNotificationsController],
  providers: [InternalNotificationsService, OrderCreatedHandler, PaymentNotifiedHandler],
})
export class InternalNotificationsModule {}
