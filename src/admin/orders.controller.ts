import { Body, Controller, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { OrdersService } from '../payments/orders.service.js';
import { Answers, AnswersList } from '../platform/http/documented.js';
import { answer, listAnswer } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import type { Actor } from '../shared/actor.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { ORDER_CURSORS } from './order-cursors.js';
import { OrderDetailView, toOrderDetailView } from './order-timeline.dto.js';
import { OrderTimelineService } from './order-timeline.service.js';
import {
  AskedOrderView,
  OrderParams,
  OrdersQuery,
  OrderView,
  RemarkDto,
  toOrderFilter,
  toOrderView,
} from './orders.dto.js';

const ORDER_OF_LISTING = `The newest first: by their creation; with \`paidFrom\` or \`paidTo\` by their payment; with
\`held=true\` by when they were held. A page may be short, or empty, and still have a \`nextCursor\`: what one request
looks through is bounded.`;

@ApiTags('admin: orders')
@Controller('api/admin/orders')
export class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly timeline: OrderTimelineService,
  ) {}

  @Get()
  @RequirePermission('orders:read')
  @ApiOperation({ summary: 'Lists orders', description: ORDER_OF_LISTING })
  @AnswersList(OrderView, { about: 'Orders, without openids.' })
  async list(@Query() { cursor, limit, ...filter }: OrdersQuery): Promise<ListAnswer<OrderView>> {
    const page = await this.orders.list(toOrderFilter(filter), {
      after: ORDER_CURSORS.decode(cursor),
      limit,
    });
    return listAnswer(page, ORDER_CURSORS, toOrderView);
  }

  @Get(':outTradeNo')
  @RequirePermission('orders:read')
  @ApiOperation({ summary: 'Shows an order and all that happened to it' })
  @Answers(OrderDetailView, { about: 'The order and its timeline.' })
  async get(@Param() { outTradeNo }: OrderParams): Promise<Answer<OrderDetailView>> {
    return answer(toOrderDetailView(await this.timeline.tell(outTradeNo)));
  }

  @Patch(':outTradeNo')
  @RequirePermission('orders:write')
  @ApiOperation({ summary: 'Writes the remark of an order, and nothing else' })
  @Answers(OrderView, { about: 'The order.' })
  async changeRemark(
    @Param() { outTradeNo }: OrderParams,
    @Body() { remark }: RemarkDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<OrderView>> {
    return answer(toOrderView(await this.orders.changeRemark(outTradeNo, remark, by)));
  }

  @Post(':outTradeNo/ask')
  @HttpCode(200)
  @RequirePermission('orders:ask')
  @ApiOperation({ summary: 'Asks WeChat Pay about an order now, and takes over its answer' })
  @Answers(AskedOrderView, { about: "WeChat Pay's answer, and the order after it." })
  async ask(
    @Param() { outTradeNo }: OrderParams,
    @CurrentActor() by: Actor,
  ): Promise<Answer<AskedOrderView>> {
    const asked = await this.orders.ask(outTradeNo, by);
    return answer({ answer: asked.answer, order: toOrderView(asked.order) });
  }
}
