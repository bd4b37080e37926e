import { Module } from '@nestjs/common';
import { PaymentsModule } from '../payments/payments.module.js';
import { RefundsModule } from '../refunds/refunds.module.js';
import { WechatpayModule } from '../wechatpay/wechatpay.module.js';
import { InternalNotificationsController } from './internal-notifications.controller.js';
import { InternalNotificationsService } from './internal-notifications.service.js';
import { OrderCreatedHandler } from './order-created.handler.js';
import { PaymentNotifiedHandler } from './payment-notified.handler.js';
import { WechatCallbacksController } from './wechat-callbacks.controller.js';
import { WechatCallbacksHandler } from './wechat-callbacks.handler.js';
import { WechatCallbacksService } from './wechat-callbacks.service.js';

@Module({
  imports: [PaymentsModule, RefundsModule, WechatpayModule],
  controllers: [InternalNotificationsController, WechatCallbacksController],
  providers: [
    InternalNotificationsService,
    OrderCreatedHandler,
    PaymentNotifiedHandler,
    WechatCallbacksService,
    WechatCallbacksHandler,
  ],
})
export class InternalNotificationsModule {}
