import { Body, Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiSecurity, ApiTags } from '@nestjs/swagger';
import type { Lane } from '../platform/http/admission.js';
import { INTERNAL_SECRET } from '../platform/http/documented.js';
import { InternalSecretGuard } from '../platform/http/internal-secret.guard.js';
import { accepted } from './notification.schema.js';
import { InternalNotificationsService } from './internal-notifications.service.js';
import { OrderCreatedDto } from './order-created.dto.js';
import { PaymentNotifiedDto } from './payment-notified.dto.js';

const PAYMENT = { lane: 'payment' satisfies Lane };

/** What the cloud functions post, to the letter of the contract: 200 once the message is durable, before its effect. */
@ApiTags('cloud functions')
@ApiSecurity(INTERNAL_SECRET)
@Controller('api/payment/internal')
@UseGuards(InternalSecretGuard)
export class InternalNotificationsController {
  constructor(private readonly notifications: InternalNotificationsService) {}

  @Post('order-created')
  @HttpCode(200)
  @RouteConfig(PAYMENT)
  @ApiOperation({ summary: 'Keeps an order that its function could not write' })
  @ApiResponse({
    status: 200,
    description: 'It is durable; its effect follows.',
    schema: accepted('订单已备份', { orderId: { type: 'string', example: 'order-1706345678901-abc123' } }),
  })
  async orderCreated(
    @Body() body: OrderCreatedDto,
  ): Promise<{ success: true; message: string; orderId: string }> {
    const orderId = await this.notifications.acceptOrderCreated(body);
    return { success: true, message: '订单已备份', orderId };
  }

  @Post('notify')
  @HttpCode(200)
  @RouteConfig(PAYMENT)
  @ApiOperation({ summary: 'Keeps the notice of a payment; any number of repeats have one effect' })
  @ApiResponse({
    status: 200,
    description: 'It is durable; its effect follows.',
    schema: accepted('处理成功'),
  })
  async notify(@Body() body: PaymentNotifiedDto): Promise<{ success: true; message: string }> {
    await this.notifications.acceptPaymentNotified(body);
    return { success: true, message: '处理成功' };
  }
}
