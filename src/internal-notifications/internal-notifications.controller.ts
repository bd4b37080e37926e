import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { InternalSecretGuard } from '../platform/http/internal-secret.guard.js';
import { InternalNotificationsService } from './internal-notifications.service.js';
import { OrderCreatedDto } from './order-created.dto.js';
import { PaymentNotifiedDto } from './payment-notified.dto.js';

/** What the cloud functions post, to the letter of the contract: 200 once the message is durable, before its effect. */
@Controller('api/payment/internal')
@UseGuards(InternalSecretGuard)
export class InternalNotificationsController {
  constructor(private readonly notifications: InternalNotificationsService) {}

  @Post('order-created')
  @HttpCode(200)
  async orderCreated(
    @Body() body: OrderCreatedDto,
  ): Promise<{ success: true; message: string; orderId: string }> {
    const orderId = await this.notifications.acceptOrderCreated(body);
    return { success: true, message: '订单已备份', orderId };
  }

  @Post('notify')
  @HttpCode(200)
  async notify(@Body() body: PaymentNotifiedDto): Promise<{ success: true; message: string }> {
    await this.notifications.acceptPaymentNotified(body);
    return { success: true, message: '处理成功' };
  }
}
