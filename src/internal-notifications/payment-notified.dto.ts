import { ApiProperty } from '@nestjs/swagger';
import { Allow, Matches } from 'class-validator';
import { Hint } from './hint.js';
import { ToleratesUnknownFields } from '../platform/http/dto.pipe.js';
import { OUT_TRADE_NO_PATTERN } from '../shared/ids.js';

/** The body of `notify`; like {@link OrderCreatedDto} refused for its merchant number only. */
@ToleratesUnknownFields()
export class PaymentNotifiedDto {
  @ApiProperty({ pattern: OUT_TRADE_NO_PATTERN.source, example: '170634567890112345' })
  @Matches(OUT_TRADE_NO_PATTERN, { message: 'outTradeNo must be the merchant order number, as text' })
  outTradeNo!: string;

  @Allow() @Hint('string', '4200001234567890123456789012345') transactionId?: unknown;
  @Allow() @Hint('string', 'paid') status?: unknown;
  @Allow() @Hint('string', 'premium') packageType?: unknown;
  @Allow() @Hint('string', 'gen-1706345678901-def456') generationId?: unknown;
  @Allow() @Hint('string', 'oABC123xyz456') openid?: unknown;
}
