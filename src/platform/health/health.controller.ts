import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { HealthService } from './health.service.js';
import type { ReadinessReport } from './health.types.js';

@Controller('health')
export class HealthController {
  constructor(private readonly health: HealthService) {}

  /** The process runs. Asks nobody else: a database outage must not get the process killed. */
  @Get('live')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('ready')
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<ReadinessReport> {
    const report = await this.health.readiness();
    const refused = report.status === 'unavailable' || report.status === 'stopping';
    void reply.status(refused ? 503 : 200);
    return report;
  }
}
