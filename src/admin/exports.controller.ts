import { Controller, Get, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExportsService } from '../reports/exports.service.js';
import type { Actor } from '../shared/actor.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { OrderExportQuery, ProductOrderExportQuery, RefundExportQuery } from './exports.dto.js';
import { AnswersFile, refuseHead, sendFile } from './file-answer.js';

/** What all the files have in common. */
const FORM =
  'Times in the file are of Beijing. Numbers of orders are text, in CSV with a tab behind them, so that a spreadsheet ' +
  'keeps all their digits. The last row begins with 合计, the count and the sums: a file without it is not whole.';

@ApiTags('admin: exports')
@Controller('api/admin/export')
export class ExportsController {
  constructor(private readonly exports: ExportsService) {}

  @Get('orders')
  @RequirePermission('export')
  @ApiOperation({
    summary: 'The orders of a range of time as a file, with the sums in its last row',
    description:
      `${FORM} With \`by=settled\` what was paid is \`paidFen\` of the statistics of the same days, but for ` +
      'paid orders without a time of payment, which those count on the day they were made. What went back stands ' +
      'with its order, whenever it went back: the statistics and the export of refunds count it on the day it arrived.',
  })
  @AnswersFile('Rows by time.')
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
  @ApiOperation({
    summary: 'The refunds of a range of time as a file, with the sum in its last row',
    description: `${FORM} With \`by=settled\` the sum of those that succeeded is \`refundedFen\` of the statistics of the same days.`,
  })
  @AnswersFile('Rows by time.')
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
    description: FORM,
  })
  @AnswersFile('Rows by time, without addresses.')
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
