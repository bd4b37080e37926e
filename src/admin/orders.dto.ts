import { ApiProperty } from '@nestjs/swagger';
import type { OrderAnswer, OrderFilter, OrderOverview } from '../payments/orders.types.js';
import {
  amountView,
  BooleanField,
  ChoiceField,
  TextField,
  TimeField,
  YuanField,
} from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';
import { OUT_TRADE_NO_PATTERN } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { Money } from '../shared/money.js';

const OUT_TRADE_NO_LENGTH_MAX = 64;
const OUT_TRADE_NO_EXAMPLE = '170634567890112345';
const REMARK_LENGTH_MAX = 500;
const ANSWERS: readonly OrderAnswer[] = ['paid', 'open', 'closed', 'not_found'];

export class OrderParams {
  @TextField({
    about: 'The merchant number of the order.',
    lengthMax: OUT_TRADE_NO_LENGTH_MAX,
    pattern: OUT_TRADE_NO_PATTERN,
    example: OUT_TRADE_NO_EXAMPLE,
  })
  outTradeNo!: OutTradeNo;
}

export class OrdersQuery extends PageQuery {
  @ChoiceField({ about: 'In this state.', of: ['pending', 'paid', 'failed', 'refunded'], optional: true })
  status?: string;

  @ChoiceField({ about: 'Of this package.', of: ['free', 'basic', 'premium'], optional: true })
  packageType?: string;

  @ChoiceField({ about: 'Paid this way.', of: ['JSAPI', 'NATIVE', 'H5', 'APP'], optional: true })
  tradeType?: string;

  @TextField({ about: 'Of this user.', lengthMax: 36, pattern: /^[0-9A-Za-z_.:-]+$/, optional: true })
  userId?: string;

  @TextField({
    about: 'With this merchant number.',
    lengthMax: OUT_TRADE_NO_LENGTH_MAX,
    pattern: OUT_TRADE_NO_PATTERN,
    example: OUT_TRADE_NO_EXAMPLE,
    optional: true,
  })
  outTradeNo?: string;

  @TextField({
    about: "With this number of WeChat Pay's.",
    lengthMax: 100,
    pattern: /^[0-9A-Za-z_-]+$/,
    optional: true,
  })
  transactionId?: string;

  @TimeField({ about: 'Not made before this.', optional: true })
  createdFrom?: Date;

  @TimeField({ about: 'Made before this.', optional: true })
  createdTo?: Date;

  @TimeField({ about: 'Not paid before this.', optional: true })
  paidFrom?: Date;

  @TimeField({ about: 'Paid before this.', optional: true })
  paidTo?: Date;

  @YuanField({ about: 'At least this much, in yuan.', optional: true })
  amountMin?: string;

  @YuanField({ about: 'At most this much, in yuan.', optional: true })
  amountMax?: string;

  @BooleanField({ about: 'Whether it is paid and held for an operator.', optional: true })
  held?: boolean;
}

export class RemarkDto {
  @TextField({
    about: 'Replaces the remark; empty text clears it.',
    lengthMin: 0,
    lengthMax: REMARK_LENGTH_MAX,
    example: 'customer called on Monday',
  })
  remark!: string;
}

export class OrderView {
  @ApiProperty({ example: 'order-1706345678901-abc123' })
  id!: string;

  @ApiProperty({ example: OUT_TRADE_NO_EXAMPLE })
  outTradeNo!: string;

  @ApiProperty({ example: 'user-1706345678901-xyz789' })
  userId!: string;

  @ApiProperty({ example: 'gen-1706345678901-def456' })
  generationId!: string;

  @ApiProperty({ type: String, nullable: true, example: '4200001234567890123456789012' })
  transactionId!: string | null;

  @ApiProperty({ type: 'integer', nullable: true, example: 2990, description: 'Null when none is stored.' })
  amountFen!: number | null;

  @ApiProperty({ type: String, nullable: true, example: '29.90' })
  amount!: string | null;

  @ApiProperty({ enum: ['free', 'basic', 'premium'] })
  packageType!: string;

  @ApiProperty({ type: String, nullable: true, example: 'JSAPI' })
  tradeType!: string | null;

  @ApiProperty({ enum: ['pending', 'paid', 'failed', 'refunded'] })
  status!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  paidAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  createdAt!: string | null;

  @ApiProperty({ type: String, nullable: true })
  remark!: string | null;

  @ApiProperty({ type: String, nullable: true })
  refundReason!: string | null;

  @ApiProperty({ description: 'The ledger has a grant for it.' })
  granted!: boolean;

  @ApiProperty({ description: 'The grant was taken back, or barred by a refund.' })
  revoked!: boolean;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'Why it is paid and not granted, while that waits for an operator.',
  })
  held!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    example: '17',
    description:
      'The exception by which it is held: there is what can be done, and `grant` and `refund` do it.',
  })
  exceptionId!: string | null;

  @ApiProperty({ type: 'integer', example: 0, description: 'What is known for certain to have gone back.' })
  refundedFen!: number;
}

export class AskedOrderView {
  @ApiProperty({ enum: ANSWERS, description: 'What WeChat Pay said.' })
  answer!: OrderAnswer;

  @ApiProperty({ type: OrderView })
  order!: OrderView;
}

export function toOrderView(order: OrderOverview): OrderView {
  const { amount, heldBecause, heldAs, paidAt, createdAt, ...rest } = order;
  return {
    ...rest,
    ...(amount ? amountView(amount) : { amountFen: null, amount: null }),
    paidAt: paidAt?.toISOString() ?? null,
    createdAt: createdAt?.toISOString() ?? null,
    held: heldBecause,
    exceptionId: heldAs,
  };
}

export function toOrderFilter(query: Omit<OrdersQuery, 'cursor' | 'limit'>): OrderFilter {
  const { amountMin, amountMax, ...rest } = query;
  return {
    ...rest,
    ...(amountMin !== undefined && { amountMin: Money.ofYuan(amountMin) }),
    ...(amountMax !== undefined && { amountMax: Money.ofYuan(amountMax) }),
  };
}
