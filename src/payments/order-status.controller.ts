import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { InternalSecretGuard } from '../platform/http/internal-secret.guard.js';
import { OrderStatusService } from './order-status.service.js';
import type { OrderStatusView } from './order-status.service.js';

/** For the web front end's server and for operators: is it paid? */
@Controller('api/payment/orders')
@UseGuards(InternalSecretGuard)
export class OrderStatusController {
  constructor(private readonly status: OrderStatusService) {}

  @Get(':outTradeNo/status')
  async get(@Param('outTradeNo') outTradeNo: string): Promise<{ success: true; data: OrderStatusView }> {
    return { success: true, data: await this.status.get(outTradeNo) };
  }
}
