import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiHeader, ApiNotFoundResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, AnswersList, Conflicts } from '../platform/http/documented.js';
import { IDEMPOTENCY_KEY_HEADER, IdempotencyKey } from '../platform/http/idempotency-key.js';
import { answer, listAnswer } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import { AbnormalRefundsService } from '../refunds/abnormal-refunds.service.js';
import { RefundsService } from '../refunds/refunds.service.js';
import type { Actor } from '../shared/actor.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import {
  RedirectRefundDto,
  RefundAnswer,
  RefundParams,
  RefundsQuery,
  RequestRefundDto,
  toRefundAnswer,
} from './refunds.dto.js';

const CURSORS = new CursorCodec('refunds', { createdAt: 'time', id: 'key' });

@ApiTags('admin: refunds')
@Controller('api/admin/refunds')
export class RefundsController {
  constructor(
    private readonly refunds: RefundsService,
    private readonly abnormal: AbnormalRefundsService,
  ) {}

  @Get()
  @RequirePermission('refunds:read')
  @ApiOperation({ summary: 'Lists refunds, also those made elsewhere, the newest first' })
  @AnswersList(RefundAnswer, { about: 'Refunds.' })
  async list(@Query() { cursor, limit, ...filter }: RefundsQuery): Promise<ListAnswer<RefundAnswer>> {
    const page = await this.refunds.list(filter, { after: CURSORS.decode(cursor), limit });
    return listAnswer(page, CURSORS, toRefundAnswer);
  }

  @Get(':outRefundNo')
  @RequirePermission('refunds:read')
  @ApiOperation({ summary: 'Shows one refund' })
  @Answers(RefundAnswer, { about: 'The refund.' })
  async get(@Param() { outRefundNo }: RefundParams): Promise<Answer<RefundAnswer>> {
    return answer(toRefundAnswer(await this.refunds.get(outRefundNo)));
  }

  @Post()
  @HttpCode(202)
  @RequirePermission('refunds:request')
  @ApiOperation({
    summary: 'Asks for a refund, which then goes out and is followed by itself',
    description:
      'A repetition with the same key and the same body is answered with the refund it made, however far that is by now. Follow ' +
      '`status`: `pending` becomes `success`, `closed` or `abnormal`, mostly within a minute. Money that went back in part leaves the ' +
      'user what the order gave; when all of it went back, the order is `refunded` and what it gave is taken back.',
  })
  @ApiHeader(IDEMPOTENCY_KEY_HEADER)
  @Answers(RefundAnswer, { about: 'The refund, durable; the same one for the same key.', status: 202 })
  @ApiNotFoundResponse({ description: 'No such order is known.' })
  @Conflicts(
    '`order_not_paid`, `order_refunded`, `refund_exceeds_paid`, `refund_too_late`, `refund_parts_exceeded`, `order_amount_unknown`, or `idempotency_key_used` for another refund.',
  )
  async request(
    @Body() { outTradeNo, amount, reason }: RequestRefundDto,
    @IdempotencyKey() idempotencyKey: string,
    @CurrentActor() by: Actor,
  ): Promise<Answer<RefundAnswer>> {
    const wish = { outTradeNo: outTradeNo as OutTradeNo, amount: Money.ofYuan(amount), reason };
    return answer(toRefundAnswer(await this.refunds.requestRefund({ ...wish, idempotencyKey, by })));
  }

  @Post(':outRefundNo/retry')
  @HttpCode(200)
  @RequirePermission('refunds:request')
  @ApiOperation({ summary: 'Takes an open refund up now instead of at its time, under the same number' })
  @Conflicts('`refund_ended`: it has succeeded or was closed.')
  @Answers(RefundAnswer, { about: 'The refund.' })
  async retry(
    @Param() { outRefundNo }: RefundParams,
    @CurrentActor() by: Actor,
  ): Promise<Answer<RefundAnswer>> {
    return answer(toRefundAnswer(await this.refunds.retry(outRefundNo, by)));
  }

  @Post(':outRefundNo/redirect')
  @HttpCode(200)
  @RequirePermission('refunds:request')
  @ApiOperation({ summary: 'Sends the money of an abnormal refund to another card' })
  @Conflicts('`refund_not_abnormal`, or `wechatpay_final` with the words of WeChat Pay.')
  @Answers(RefundAnswer, { about: 'The refund.' })
  async redirect(
    @Param() { outRefundNo }: RefundParams,
    @Body() { type, bankType = '', bankAccount = '', realName = '' }: RedirectRefundDto,
    @CurrentActor() by: Actor,
  ): Promise<Answer<RefundAnswer>> {
    const card = { bankType, bankAccount, realName };
    const target = type === 'USER_BANK_CARD' ? { type, ...card } : { type };
    await this.abnormal.redirect(outRefundNo, target, by);
    return answer(toRefundAnswer(await this.refunds.get(outRefundNo)));
  }
}
