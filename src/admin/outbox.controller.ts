import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { NoticesService } from '../notices/notices.service.js';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, AnswersList, Conflicts } from '../platform/http/documented.js';
import { answer, listAnswer } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import { OutboxListService } from '../platform/outbox/outbox-list.service.js';
import type { Actor } from '../shared/actor.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { OutboxAnswer, OutboxParams, OutboxQuery, ResendAnswer, toOutboxAnswer } from './outbox.dto.js';

const CURSORS = new CursorCodec('outbox', { id: 'digits' });

@ApiTags('admin: outbox')
@Controller('api/admin/outbox')
export class OutboxController {
  constructor(
    private readonly outbox: OutboxListService,
    private readonly notices: NoticesService,
  ) {}

  @Get()
  @RequirePermission('outbox:read')
  @ApiOperation({ summary: 'Lists notices and the facts they tell, the newest first' })
  @AnswersList(OutboxAnswer, { about: 'Rows of the outbox.' })
  async list(@Query() { cursor, limit, ...filter }: OutboxQuery): Promise<ListAnswer<OutboxAnswer>> {
    const page = await this.outbox.list(filter, { after: CURSORS.decode(cursor), limit });
    return listAnswer(page, CURSORS, toOutboxAnswer);
  }

  @Post(':id/resend')
  @HttpCode(200)
  @RequirePermission('outbox:resend')
  @ApiOperation({ summary: 'Sends a notice that failed, or was sent, again' })
  @Answers(ResendAnswer, { about: 'It is due now; its receiver sees the same id.' })
  @Conflicts('`notice_not_resendable`, with the reason.')
  async resend(@Param() { id }: OutboxParams, @CurrentActor() by: Actor): Promise<Answer<ResendAnswer>> {
    return answer({ outcome: await this.notices.resend(id, by) });
  }
}
