import { Controller, Get, Param, UseGuards } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiSecurity, ApiTags } from '@nestjs/swagger';
import { ADMIN_TOKEN, INTERNAL_SECRET } from '../platform/http/documented.js';
import { RouteConfig } from '@nestjs/platform-fastify';
import { InternalSecretGuard } from '../platform/http/internal-secret.guard.js';
import { ORDER_STATUS_SCHEMA } from './order-status.schema.js';
import { OrderStatusService } from './order-status.service.js';
import type { OrderStatusView } from './order-status.service.js';

/** For the web front end's server, by the secret, and for operators, by their token: is it paid? */
@ApiTags('cloud functions')
@ApiSecurity(INTERNAL_SECRET)
@ApiSecurity(ADMIN_TOKEN)
@Controller('api/payment/orders')
@UseGuards(InternalSecretGuard)
export class OrderStatusController {
  constructor(private readonly status: OrderStatusService) {}

  @Get(':outTradeNo/status')
  @RouteConfig({ permission: 'orders:read' })
  @ApiOperation({ summary: 'Is it paid? A pending order is asked about at WeChat Pay first' })
  @ApiParam({ name: 'outTradeNo', schema: { type: 'string' }, example: '170634567890112345' })
  @ApiResponse({ status: 200, description: 'The order.', schema: ORDER_STATUS_SCHEMA })
  async get(@Param('outTradeNo') outTradeNo: string): Promise<{ success: true; data: OrderStatusView }> {
    return { success: true, data: await this.status.get(outTradeNo) };
  }
}
