import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CursorCodec } from '../platform/http/cursor.js';
import { Answers, AnswersList, Conflicts } from '../platform/http/documented.js';
import { answer, listAnswer } from '../platform/http/listing.js';
import type { Answer, ListAnswer } from '../platform/http/listing.js';
import { PriceSchedulesService } from '../prices/price-schedules.service.js';
import type { Actor } from '../shared/actor.js';
import { Money } from '../shared/money.js';
import { CurrentActor, RequirePermission } from './admin-request.js';
import { PriceParams, PricesQuery, PriceView, SchedulePriceDto, toPriceView } from './prices.dto.js';

const CURSORS = new CursorCodec('prices', { effectiveAt: 'time', id: 'digits' });

@ApiTags('admin: prices')
@Controller('api/admin/prices')
export class AdminPricesController {
  constructor(private readonly schedules: PriceSchedulesService) {}

  @Get()
  @RequirePermission('prices:read')
  @ApiOperation({ summary: 'The prices that were, are and will be in force, the latest first' })
  @AnswersList(PriceView, { about: 'The history, with what was cancelled.' })
  async list(@Query() { packageType, cursor, limit }: PricesQuery): Promise<ListAnswer<PriceView>> {
    const page = await this.schedules.list(packageType ?? null, { after: CURSORS.decode(cursor), limit });
    return listAnswer(page, CURSORS, toPriceView);
  }

  @Post()
  @RequirePermission('prices:write')
  @ApiOperation({ summary: 'Sets a price from now on, or from a time on' })
  @Answers(PriceView, {
    about: 'The price; every process serves it within seconds of its time.',
    status: 201,
  })
  @Conflicts('`price_exists`: another price of the package begins at that instant.')
  async schedule(@Body() body: SchedulePriceDto, @CurrentActor() by: Actor): Promise<Answer<PriceView>> {
    const { packageType, amount, effectiveAt = null, note = null } = body;
    const wish = { packageType, amount: Money.ofYuan(amount), effectiveAt, note };
    return answer(toPriceView(await this.schedules.schedule(wish, by)));
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RequirePermission('prices:write')
  @ApiOperation({ summary: 'Withdraws a price that is not yet in force; a second time changes nothing' })
  @Answers(PriceView, { about: 'The price, cancelled.' })
  @Conflicts('`price_in_force`: it is or was in force.')
  async cancel(@Param() { id }: PriceParams, @CurrentActor() by: Actor): Promise<Answer<PriceView>> {
    return answer(toPriceView(await this.schedules.cancel(id, by)));
  }
}
