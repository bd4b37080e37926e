import { ApiProperty } from '@nestjs/swagger';
import { Allow, Matches } from 'class-validator';
import { Hint } from './hint.js';
import { ToleratesUnknownFields } from '../platform/http/dto.pipe.js';
import { OUT_TRADE_NO_PATTERN } from '../shared/ids.js';

/**
 * The body of `order-created`. Only the merchant number can get a body refused: the caller never retries, and
 * money may hang on it. All else is read as far as it can be read, and unknown fields are let through.
 */
@ToleratesUnknownFields()
export class OrderCreatedDto {
  @ApiProperty({ pattern: OUT_TRADE_NO_PATTERN.source, example: '170634567890112345' })
  @Matches(OUT_TRADE_NO_PATTERN, { message: 'outTradeNo must be the merchant order number, as text' })
  outTradeNo!: string;

  @Allow() @Hint('string', 'order-1706345678901-abc123') orderId?: unknown;
  @Allow() @Hint('string', 'user-1706345678901-xyz789') userId?: unknown;
  @Allow() @Hint('string', 'oABC123xyz456') openid?: unknown;
  @Allow() @Hint('string') unionid?: unknown;
  /** Fen. */
  @Allow() @Hint('integer', 2990) amount?: unknown;
  @Allow() @Hint('string', 'premium') packageType?: unknown;
  @Allow() @Hint('string', 'JSAPI') tradeType?: unknown;
  @Allow() @Hint('string', 'pending') status?: unknown;
  @Allow() @Hint('string', 'db_unavailable') reason?: unknown;
  @Allow() @Hint('string', 'Connection timeout') dbError?: unknown;
}
