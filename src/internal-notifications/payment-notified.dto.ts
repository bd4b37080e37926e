import { Allow, Matches } from 'class-validator';
import { ToleratesUnknownFields } from '../platform/http/dto.pipe.js';
import { OUT_TRADE_NO_PATTERN } from '../shared/ids.js';

/** The body of `notify`; like {@link OrderCreatedDto} refused for its merchant number only. */
@ToleratesUnknownFields()
export class PaymentNotifiedDto {
  @Matches(OUT_TRADE_NO_PATTERN, { message: 'outTradeNo must be the merchant order number, as text' })
  outTradeNo!: string;

  @Allow() transactionId?: unknown;
  @Allow() status?: unknown;
  @Allow() packageType?: unknown;
  @Allow() generationId?: unknown;
  @Allow() openid?: unknown;
}
