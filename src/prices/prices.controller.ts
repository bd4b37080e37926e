import { createHash } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { PricesService } from './prices.service.js';
import type { CurrentPrices } from './prices.service.js';
import { CURRENT_PRICES_SCHEMA, toCurrentPricesView } from './prices.view.js';

/** Callers keep prices for 5 minutes themselves; what stands between must not add to that. */
const CACHE_CONTROL = 'public, max-age=5';

@ApiTags('cloud functions')
@Controller('api/prices')
export class PricesController {
  /** The last answer: prices change a few times a year, and are asked for all day. */
  private last: Answer | null = null;

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
  ): Promise<string | undefined> {
    const { body, etag } = this.answer(await this.prices.current());
    void reply.header('Cache-Control', CACHE_CONTROL).header('ETag', etag);
    if (!matches(known, etag)) {
      void reply.header('Content-Type', 'application/json; charset=utf-8');
      return body;
    }
    void reply.status(304);
    return undefined;
  }

  private answer(prices: CurrentPrices): Answer {
    if (this.last && isSame(this.last.prices, prices)) return this.last;
    const body = JSON.stringify(toCurrentPricesView(prices));
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
    this.last = { prices, body, etag };
    return this.last;
  }
}

type Answer = { readonly prices: CurrentPrices; readonly body: string; readonly etag: string };

function isSame(a: CurrentPrices, b: CurrentPrices): boolean {
  return (
    a.basic.equals(b.basic) &&
    a.premium.equals(b.premium) &&
    a.effectiveAt.getTime() === b.effectiveAt.getTime() &&
    a.updatedAt.getTime() === b.updatedAt.getTime()
  );
}

/** If-None-Match is a list and compares weakly (RFC 9110, 13.1.2). */
function matches(header: string | undefined, etag: string): boolean {
  const candidates = (header ?? '').split(',').map((candidate) => candidate.trim().replace(/^W\//, ''));
  return candidates.includes(etag) || candidates.includes('*');
}
