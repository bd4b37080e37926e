import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, AnswersList } from '../platform/http/documented.js';
import { answer, listAnswer } from '../platform/http/listing.js';
import type { Answer, ListAnswer, PageQuery } from '../platform/http/listing.js';
import { RecordsService } from '../reports/records.service.js';
import type { RecordFilter, RecordKind } from '../reports/records.types.js';
import { RequirePermission } from './admin-request.js';
import {
  ErrorLogsQuery,
  GenerationsQuery,
  GreetingCardsQuery,
  PaymentLogsQuery,
  RecordParams,
  RecordView,
  toRecordView,
} from './records.dto.js';

const SHAPE = { at: 'time', id: 'key' } as const;
const CURSORS = {
  generations: new CursorCodec('generations', SHAPE),
  'greeting-cards': new CursorCodec('greeting-cards', SHAPE),
  'payment-logs': new CursorCodec('payment-logs', SHAPE),
  'error-logs': new CursorCodec('error-logs', SHAPE),
};

@ApiTags('admin: records')
@Controller('api/admin/records')
export class RecordsController {
  constructor(private readonly records: RecordsService) {}

  @Get('generations')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Lists the generations of pictures, the newest first' })
  @AnswersList(RecordView, { about: 'The generations of pictures.' })
  async listGenerations(@Query() query: GenerationsQuery): Promise<ListAnswer<RecordView>> {
    return this.list('generations', query);
  }

  @Get('generations/:id')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Shows a generation' })
  @Answers(RecordView, { about: 'The record.' })
  async getGenerations(@Param() { id }: RecordParams): Promise<Answer<RecordView>> {
    return answer(toRecordView(await this.records.get('generations', id)));
  }

  @Get('greeting-cards')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Lists the greeting cards, the newest first' })
  @AnswersList(RecordView, { about: 'The greeting cards.' })
  async listGreetingCards(@Query() query: GreetingCardsQuery): Promise<ListAnswer<RecordView>> {
    return this.list('greeting-cards', query);
  }

  @Get('greeting-cards/:id')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Shows a greeting card' })
  @Answers(RecordView, { about: 'The record.' })
  async getGreetingCards(@Param() { id }: RecordParams): Promise<Answer<RecordView>> {
    return answer(toRecordView(await this.records.get('greeting-cards', id)));
  }

  @Get('payment-logs')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Lists the payment logs, the newest first' })
  @AnswersList(RecordView, { about: 'The payment logs.' })
  async listPaymentLogs(@Query() query: PaymentLogsQuery): Promise<ListAnswer<RecordView>> {
    return this.list('payment-logs', query);
  }

  @Get('payment-logs/:id')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Shows a payment log' })
  @Answers(RecordView, { about: 'The record.' })
  async getPaymentLogs(@Param() { id }: RecordParams): Promise<Answer<RecordView>> {
    return answer(toRecordView(await this.records.get('payment-logs', id)));
  }

  @Get('error-logs')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Lists the error logs, the newest first' })
  @AnswersList(RecordView, { about: 'The error logs.' })
  async listErrorLogs(@Query() query: ErrorLogsQuery): Promise<ListAnswer<RecordView>> {
    return this.list('error-logs', query);
  }

  @Get('error-logs/:id')
  @RequirePermission('records:read')
  @ApiOperation({ summary: 'Shows an error log' })
  @Answers(RecordView, { about: 'The record.' })
  async getErrorLogs(@Param() { id }: RecordParams): Promise<Answer<RecordView>> {
    return answer(toRecordView(await this.records.get('error-logs', id)));
  }

  private async list(
    kind: RecordKind,
    { cursor, limit, ...filter }: PageQuery & RecordFilter,
  ): Promise<ListAnswer<RecordView>> {
    const page = await this.records.list(kind, filter, { after: CURSORS[kind].decode(cursor), limit });
    return listAnswer(page, CURSORS[kind], toRecordView);
  }
}
