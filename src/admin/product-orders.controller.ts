import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, AnswersList, Conflicts } from '../platform/http/documented.js';
import { answer, listAnswer } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import { ProductOrdersService } from '../products/product-orders.service.js';
import { WorkshopFileService } from '../products/workshop-file.service.js';
import type { Actor } from '../shared/actor.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { AnswersFile, refuseHead, sendFile } from './file-answer.js';
import {
  BatchFileQuery,
  ChangeProductOrderDto,
  ExportBatchDto,
  ProductOrderParams,
  ProductOrdersQuery,
  ProductOrderView,
  toBatchView,
  toProductOrderView,
  WorkshopBatchView,
} from './product-orders.dto.js';

const CURSORS = new CursorCodec('product-orders', { at: 'time', id: 'key' });

@ApiTags('admin: product orders')
@Controller('api/admin/product-orders')
export class ProductOrdersController {
  constructor(
    private readonly orders: ProductOrdersService,
    private readonly files: WorkshopFileService,
  ) {}

  @Get()
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Lists the orders of products, the newest first' })
  @AnswersList(ProductOrderView, { about: 'The orders, with masked names and phones.' })
  async list(
    @Query() { cursor, limit, ...filter }: ProductOrdersQuery,
  ): Promise<ListAnswer<ProductOrderView>> {
    const page = await this.orders.list(filter, { after: CURSORS.decode(cursor), limit });
    return listAnswer(page, CURSORS, toProductOrderView);
  }

  @Post('export')
  @RequirePermission('export')
  @ApiOperation({ summary: 'Gives paid orders to the workshop as a batch, the oldest first' })
  @Answers(WorkshopBatchView, {
    about: 'The batch; its file is made from it as often as needed.',
    status: 201,
  })
  @Conflicts('No paid order waits for the workshop.')
  async exportBatch(
    @Body() { limit }: ExportBatchDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<WorkshopBatchView>> {
    return answer(toBatchView(await this.orders.exportBatch(limit, by)));
  }

  @Get('batches/:id/file')
  @RequirePermission('export')
  @ApiOperation({ summary: 'The file of a batch, with whole addresses' })
  @AnswersFile('The orders of the batch as they are now.')
  async file(
    @Param() { id }: ProductOrderParams,
    @Query() { format }: BatchFileQuery,
    @Req() request: FastifyRequest & { admin: { actor: Actor } },
    @Res() reply: FastifyReply,
  ): Promise<void> {
    refuseHead(request);
    const content = await this.files.make(id, format, request.admin.actor);
    await sendFile(reply, { fileName: `${id}.${format}`, format, content });
  }

  @Get(':id')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Shows an order of a product' })
  @Answers(ProductOrderView, { about: 'The order, with a masked name and phone.' })
  async get(@Param() { id }: ProductOrderParams): Promise<Answer<ProductOrderView>> {
    return answer(toProductOrderView(await this.orders.get(id)));
  }

  @Post(':id/status')
  @HttpCode(200)
  @RequirePermission('products:write')
  @ApiOperation({ summary: 'Moves an order on, or cancels it' })
  @Answers(ProductOrderView, { about: 'The order as it is now.' })
  @Conflicts('`state_conflict`: no way leads there from the state it is in.')
  async changeStatus(
    @Param() { id }: ProductOrderParams,
    @Body() change: ChangeProductOrderDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<ProductOrderView>> {
    return answer(toProductOrderView(await this.orders.changeStatus(id, change, by)));
  }
}
