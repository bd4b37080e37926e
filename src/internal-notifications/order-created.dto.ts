import { Allow, Matches } from 'class-validator';
import { ToleratesUnknownFields } from '../platform/http/dto.pipe.js';
import { OUT_TRADE_NO_PATTERN } from '../shared/ids.js';

/**
 * The body of `order-created`. Only the merchant number can get a body refused: the caller never retries, and
 * money may hang on it. All else is read as far as it can be read, and unknown fields are let through.
 */
@ToleratesUnknownFields()
export class OrderCreatedDto {
  @Matches(OUT_TRADE_NO_PATTERN, { message: 'outTradeNo must be the merchant order number, as text' })
  outTradeNo!: string;

  @Allow() orderId?: unknown;
  @Allow() userId?: unknown;
  @Allow() openid?: unknown;
  @Allow() unionid?: unknown;
  /** Fen. */
  @Allow() amount?: unknown;
  @Allow() packageType?: unknown;
  @Allow() tradeType?: unknown;
  @Allow() status?: unknown;
  @Allow() reason?: unknown;
  @Allow() dbError?: unknown;
}
