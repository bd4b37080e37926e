import { createHash } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PricesService } from './prices.service.js';
import { CURRENT_PRICES_SCHEMA, toCurrentPricesView } from './prices.view.js';
import type { CurrentPricesView } from './prices.view.js';

/** Callers keep prices for 5 minutes themselves; what stands between must not add to that. */
const CACHE_CONTROL = 'public, max-age=5';

@ApiTags('cloud functions')
@Controller('api/prices')
export class PricesController {
  constructor(private readonly prices: PricesService) {}

  @Get('current')
  @ApiOperation({ summary: 'The prices in force' })
  @ApiHeader({ name: 'If-None-Match', required: false, description: 'The ETag of an earlier answer.' })
  @ApiResponse({
    status: 200,
    description: 'The prices, also while MySQL is away.',
    schema: CURRENT_PRICES_SCHEMA,
  })
  @ApiResponse({ status: 304, description: 'They are what `If-None-Match` says.' })
  async current(
    @Headers('if-none-match') known: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CurrentPricesView | undefined> {
    const view = toCurrentPricesView(await this.prices.current());
    const etag = `"${createHash('sha256').update(JSON.stringify(view)).digest('base64url').slice(0, 22)}"`;
    void reply.header('Cache-Control', CACHE_CONTROL).header('ETag', etag);
    if (!matches(known, etag)) return view;
    void reply.status(304);
    return undefined;
  }
}

/** If-None-Match is a list and compares weakly (RFC 9110, 13.1.2). */
function matches(header: string | undefined, etag: string): boolean {
  const candidates = (header ?? '').split(',').map((candidate) => candidate.trim().replace(/^W\//, ''));
  return candidates.includes(etag) || candidates.includes('*');
}
