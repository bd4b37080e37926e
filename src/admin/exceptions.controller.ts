import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, AnswersList, Conflicts } from '../platform/http/documented.js';
import { IDEMPOTENCY_KEY_HEADER, IdempotencyKey } from '../platform/http/idempotency-key.js';
import { answer, listAnswer } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import type { Actor } from '../shared/actor.js';
import { Money } from '../shared/money.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { ExceptionActionsService } from './exception-actions.service.js';
import {
  ExceptionActionAnswer,
  ExceptionAnswer,
  ExceptionParams,
  ExceptionsQuery,
  GrantHeldDto,
  NoteDto,
  RefundHeldDto,
  toActionAnswer,
  toExceptionAnswer,
  toExceptionFilter,
} from './exceptions.dto.js';

const CURSORS = new CursorCodec('exceptions', { openedAt: 'time', id: 'digits' });

/** What each action may meet. */
const NOT_OPEN = '`exception_not_open`, `action_not_possible` for this kind';

@ApiTags('admin: exceptions')
@Controller('api/admin/exceptions')
export class ExceptionsController {
  constructor(private readonly exceptions: ExceptionActionsService) {}

  @Get()
  @RequirePermission('exceptions:read')
  @ApiOperation({ summary: 'What was held or quarantined and waits for an operator, the newest first' })
  @AnswersList(ExceptionAnswer, { about: 'Exceptions, each with what can be done about it.' })
  async list(@Query() { cursor, limit, ...filter }: ExceptionsQuery): Promise<ListAnswer<ExceptionAnswer>> {
    const page = { after: CURSORS.decode(cursor), limit };
    const found = await this.exceptions.list(toExceptionFilter(filter), page);
    return listAnswer(found, CURSORS, toExceptionAnswer);
  }

  @Get(':id')
  @RequirePermission('exceptions:read')
  @ApiOperation({ summary: 'Shows one exception' })
  @Answers(ExceptionAnswer, { about: 'The exception.' })
  async get(@Param() { id }: ExceptionParams): Promise<Answer<ExceptionAnswer>> {
    return answer(toExceptionAnswer(await this.exceptions.get(id)));
  }

  @Post(':id/grant')
  @HttpCode(200)
  @RequirePermission('exceptions:resolve')
  @ApiOperation({
    summary: 'Grants a held order a package, whatever its amount says',
    description:
      'The order takes on the package that is granted; what it said before stands in the audit log. The notice of the payment is ' +
      'staged with it. The same grant again changes nothing: `already_granted`.',
  })
  @Answers(ExceptionActionAnswer, { about: 'It is granted, once and for all.' })
  @Conflicts(`${NOT_OPEN}, \`already_granted\` another package, \`order_refunded\`, or \`order_not_paid\`.`)
  async grant(
    @Param() { id }: ExceptionParams,
    @Body() { packageType, note }: GrantHeldDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<ExceptionActionAnswer>> {
    return this.done(id, { outcome: await this.exceptions.grant(id, { packageType, note, by }) });
  }

  @Post(':id/refund')
  @HttpCode(202)
  @RequirePermission('exceptions:resolve')
  @ApiOperation({ summary: 'Asks for a refund of the order the exception is about' })
  @ApiHeader(IDEMPOTENCY_KEY_HEADER)
  @Answers(ExceptionActionAnswer, {
    about: 'The refund, durable; the same one for the same key.',
    status: 202,
  })
  @Conflicts(`${NOT_OPEN}, or what \`POST /api/admin/refunds\` refuses.`)
  async refund(
    @Param() { id }: ExceptionParams,
    @Body() { amount, note }: RefundHeldDto,
    @IdempotencyKey() idempotencyKey: string,
    @CurrentActor() by: Actor,
  ): Promise<Answer<ExceptionActionAnswer>> {
    const wish = { amount: amount === undefined ? null : Money.ofYuan(amount), note, idempotencyKey, by };
    const refund = await this.exceptions.refund(id, wish);
    return this.done(id, { outcome: 'refund_requested', refund });
  }

  @Post(':id/adopt')
  @HttpCode(200)
  @RequirePermission('exceptions:resolve')
  @ApiOperation({ summary: 'Asks WeChat Pay about the order, and has the stored message tried again' })
  @Answers(ExceptionActionAnswer, { about: 'The message is tried again.' })
  @Conflicts(`${NOT_OPEN}, or \`message_gone\`: it is not stored any more.`)
  async adopt(
    @Param() { id }: ExceptionParams,
    @Body() { note }: NoteDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<ExceptionActionAnswer>> {
    return this.done(id, await this.exceptions.adopt(id, { note, by }));
  }

  @Post(':id/dismiss')
  @HttpCode(200)
  @RequirePermission('exceptions:resolve')
  @ApiOperation({ summary: 'Puts an exception aside for good' })
  @Answers(ExceptionActionAnswer, { about: 'It is dismissed.' })
  @Conflicts(`${NOT_OPEN}.`)
  async dismiss(
    @Param() { id }: ExceptionParams,
    @Body() { note }: NoteDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<ExceptionActionAnswer>> {
    return this.done(id, { outcome: await this.exceptions.dismiss(id, { note, by }) });
  }

  @Post(':id/reopen')
  @HttpCode(200)
  @RequirePermission('exceptions:resolve')
  @ApiOperation({ summary: 'Takes a dismissal back' })
  @Answers(ExceptionActionAnswer, { about: 'It is open.' })
  @Conflicts('`exception_resolved`: its cause is gone.')
  async reopen(
    @Param() { id }: ExceptionParams,
    @Body() { note }: NoteDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<ExceptionActionAnswer>> {
    return this.done(id, { outcome: await this.exceptions.reopen(id, { note, by }) });
  }

  private async done(
    id: string,
    result: Parameters<typeof toActionAnswer>[1],
  ): Promise<Answer<ExceptionActionAnswer>> {
    return answer(toActionAnswer(await this.exceptions.get(id), result));
  }
}
