import { Controller, Get, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { HealthService } from './health.service.js';
import { LIVE_SCHEMA, READINESS_SCHEMA } from './health.schema.js';
import type { ReadinessReport } from './health.types.js';

@ApiTags('health')
@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** The process runs. Asks nobody else: a database outage must not get the process killed. */
  @Get('live')
  @ApiOperation({ summary: 'Does the process run?' })
  @ApiResponse({ status: 200, description: 'It does.', schema: LIVE_SCHEMA })
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Does what is posted here become durable?' })
  @ApiResponse({ status: 200, description: 'It does, also while MySQL is away.', schema: READINESS_SCHEMA })
  @ApiResponse({
    status: 503,
    description: 'It does not, or the process is stopping.',
    content: { 'application/json': { schema: READINESS_SCHEMA } },
  })
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessReport> {
    const report = await this.health.readiness();
    const refused = report.status === 'unavailable' || report.status === 'stopping';
    void reply.status(refused ? 503 : 200);
    return report;
  }
}
