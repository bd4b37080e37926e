import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExportsService } from '../reports/exports.service.js';
import type { Actor } from '../shared/actor.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { OrderExportQuery, ProductOrderExportQuery, RefundExportQuery } from './exports.dto.js';
import { AnswersFile, refuseHead, sendFile } from './file-answer.js';

@ApiTags('admin: exports')
@Controller('api/admin/export')
export class ExportsController {
  constructor(private readonly exports: ExportsService) {}

  @Get('orders')
  @RequirePermission('export')
  @ApiOperation({ summary: 'The orders of a range of time as a file, with the sums in its last row' })
  @AnswersFile('Rows by time; a file without its row 合计 is not whole.')
  async orders(
    @Query() query: OrderExportQuery,
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    refuseHead(request);
    const { format, from, to, by, ...filter } = query;
    const file = await this.exports.start({ kind: 'orders', format, from, to, by, filter }, actor);
    await sendFile(reply, { ...file, format });
  }

  @Get('refunds')
  @RequirePermission('export')
  @ApiOperation({ summary: 'The refunds of a range of time as a file, with the sum in its last row' })
  @AnswersFile('Rows by time; a file without its row 合计 is not whole.')
  async refunds(
    @Query() query: RefundExportQuery,
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    refuseHead(request);
    const { format, from, to, by, ...filter } = query;
    const file = await this.exports.start({ kind: 'refunds', format, from, to, by, filter }, actor);
    await sendFile(reply, { ...file, format });
  }

  @Get('product-orders')
  @RequirePermission('export')
  @ApiOperation({
    summary: 'The orders of products of a range of time as a file, with the sum in its last row',
  })
  @AnswersFile('Rows by time, without addresses; a file without its row 合计 is not whole.')
  async productOrders(
    @Query() query: ProductOrderExportQuery,
    @CurrentActor() actor: Actor,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    refuseHead(request);
    const { format, from, to, ...filter } = query;
    const asked = { kind: 'product-orders', by: 'created', format, from, to, filter } as const;
    await sendFile(reply, { ...(await this.exports.start(asked, actor)), format });
  }
}
