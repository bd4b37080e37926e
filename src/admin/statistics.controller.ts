import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Answers } from '../platform/http/documented.js';
import { answer } from '../platform/http/listing.js';
import type { Answer } from '../platform/http/listing.js';
import { StatisticsService } from '../reports/statistics.service.js';
import { RequirePermission } from './admin-request.js';
import { groupsOf, StatisticsQuery, StatisticsView, toStatisticsView } from './statistics.dto.js';

@ApiTags('admin: statistics')
@Controller('api/admin/statistics')
export class StatisticsController {
  constructor(private readonly statistics: StatisticsService) {}

  @Get('daily')
  @RequirePermission('statistics:read')
  @ApiOperation({
    summary: 'What was made, paid and refunded, by day of Shanghai, package and kind of payment',
    description:
      'Paid is counted on the day it was paid, refunded on the day the money arrived, whichever order it belongs to: the ' +
      'exports of orders and of refunds with `by=settled` have the same sums.',
  })
  @Answers(StatisticsView, { about: 'The lines and their total, from one moment of the tables.' })
  async daily(@Query() query: StatisticsQuery): Promise<Answer<StatisticsView>> {
    const { from, to } = query;
    return answer(toStatisticsView(await this.statistics.daily({ from, to, groupBy: groupsOf(query) })));
  }
}
