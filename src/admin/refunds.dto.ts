import { ApiProperty } from '@nestjs/swagger';
import { ValidateIf } from 'class-validator';
import { ChoiceField, TextField, TimeField, YuanField } from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';
import { REFUND_STATES } from '../refunds/refunds.types.js';
import type { RefundState, RefundView } from '../refunds/refunds.types.js';
import { OUT_TRADE_NO_PATTERN } from '../shared/ids.js';
import { Money } from '../shared/money.js';

const OUT_REFUND_NO = {
  about: 'The number of the refund.',
  lengthMax: 64,
  pattern: /^[0-9A-Za-z_\-|*@]{1,64}$/,
  example: 'RF1767225600000k3j9x0a1b2c3',
} as const;
const OUT_TRADE_NO = {
  about: 'The merchant number of the order.',
  lengthMax: 64,
  pattern: OUT_TRADE_NO_PATTERN,
  example: '170634567890112345',
} as const;
const ORIGINS = ['operator', 'foreign'] as const;
const TARGETS = ['USER_BANK_CARD', 'MERCHANT_BANK_CARD'] as const;

export class RefundParams {
  @TextField(OUT_REFUND_NO)
  outRefundNo!: string;
}

export class RefundsQuery extends PageQuery {
  @TextField({ ...OUT_TRADE_NO, optional: true })
  outTradeNo?: string;

  @ChoiceField({ about: 'What became of it.', of: REFUND_STATES, optional: true })
  status?: RefundState;

  @ChoiceField({ about: 'Asked for here, or made elsewhere.', of: ORIGINS, optional: true })
  origin?: (typeof ORIGINS)[number];

  @TimeField({ about: 'Not made before this.', optional: true })
  from?: Date;

  @TimeField({ about: 'Made before this.', optional: true })
  to?: Date;
}

export class RequestRefundDto {
  @TextField(OUT_TRADE_NO)
  outTradeNo!: string;

  @YuanField({ about: 'How much goes back, in yuan; refunds under way count against what was paid.' })
  amount!: string;

  @TextField({ about: 'Why. The customer sees its beginning.', lengthMax: 200, example: '客户改变主意' })
  reason!: string;
}

const toUserCard = (dto: RedirectRefundDto) => dto.type === 'USER_BANK_CARD';

export class RedirectRefundDto {
  @ChoiceField({ about: 'Where the money goes.', of: TARGETS, example: 'USER_BANK_CARD' })
  type!: (typeof TARGETS)[number];

  /** Checked for the customer's card only; for the merchant's own nothing more is needed. */
  @ValidateIf(toUserCard)
  @TextField({
    about: 'The bank, as WeChat Pay names it; debit cards only. Needed for USER_BANK_CARD.',
    lengthMax: 32,
    pattern: /^[A-Z]+_DEBIT$/,
    example: 'ICBC_DEBIT',
  })
  bankType?: string;

  @ValidateIf(toUserCard)
  @TextField({
    about: 'The number of the card. Needed for USER_BANK_CARD. Goes to WeChat Pay, is kept nowhere.',
    lengthMax: 32,
    pattern: /^\d{8,32}$/,
    example: '6222000000000000000',
  })
  bankAccount?: string;

  @ValidateIf(toUserCard)
  @TextField({ about: 'Whose card it is. Needed for USER_BANK_CARD.', lengthMax: 64, example: '张三' })
  realName?: string;
}

export class RefundAnswer {
  @ApiProperty({ example: OUT_REFUND_NO.example })
  outRefundNo!: string;

  @ApiProperty({ example: OUT_TRADE_NO.example })
  outTradeNo!: string;

  @ApiProperty({ type: String, nullable: true, description: "WeChat Pay's number, once it has accepted." })
  refundId!: string | null;

  @ApiProperty({ type: String, nullable: true })
  transactionId!: string | null;

  @ApiProperty({
    type: Number,
    nullable: true,
    example: 1000,
    description: 'Null while only others wrote it and its unit is not certain.',
  })
  amountFen!: number | null;

  @ApiProperty({ type: String, nullable: true, example: '10.00', description: 'The same in yuan.' })
  amount!: string | null;

  @ApiProperty({ type: Number, nullable: true, example: 2990 })
  orderAmountFen!: number | null;

  @ApiProperty({
    enum: REFUND_STATES,
    description: '`closed` moved no money; `abnormal` left the account and did not arrive.',
  })
  status!: RefundState;

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['requested', 'sent', 'accepted'],
    description:
      'How far the request came; `status` tells how it ended. `sent`: whether it arrived is being asked.',
  })
  stage!: string | null;

  @ApiProperty({ enum: ORIGINS })
  origin!: 'operator' | 'foreign';

  @ApiProperty({ type: String, nullable: true, enum: ['wechatpay', 'cloud-function'] })
  channel!: string | null;

  @ApiProperty({ type: String, nullable: true })
  reason!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'admin:anna' })
  requestedBy!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The last thing that was answered about it.' })
  lastAnswer!: string | null;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'When it is taken up next; null when it has ended.',
  })
  dueAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: "WeChat Pay's time." })
  refundedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  createdAt!: string | null;
}

export function toRefundAnswer(view: RefundView): RefundAnswer {
  const { amountFen } = view;
  return {
    outRefundNo: view.outRefundNo,
    outTradeNo: view.outTradeNo,
    refundId: view.refundId,
    transactionId: view.transactionId,
    amountFen,
    amount: amountFen === null ? null : Money.ofFen(amountFen).toYuan(),
    orderAmountFen: view.orderAmountFen,
    status: view.status,
    stage: view.stage,
    origin: view.origin,
    channel: view.channel,
    reason: view.reason,
    requestedBy: view.requestedBy,
    lastAnswer: view.lastAnswer,
    dueAt: view.dueAt,
    refundedAt: view.refundedAt,
    createdAt: view.createdAt,
  };
}
