import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Answers } from '../platform/http/documented.js';
import { answer } from '../platform/http/listing.js';
import type { Answer } from '../platform/http/listing.js';
import { RequirePermission } from './admin-request.js';
import { BacklogAnswer, toBacklogAnswer } from './backlog.dto.js';
import { BacklogService } from './backlog.service.js';

@ApiTags('admin: exceptions')
@Controller('api/admin/backlog')
export class BacklogController {
  constructor(private readonly backlog: BacklogService) {}

  @Get()
  @RequirePermission('exceptions:read')
  @ApiOperation({ summary: 'What waits in the inbox, the spool, the outbox, for refunds and for answers' })
  @Answers(BacklogAnswer, { about: 'Counts with limits, and the ages of the oldest.' })
  async read(): Promise<Answer<BacklogAnswer>> {
    return answer(toBacklogAnswer(await this.backlog.read()));
  }
}
