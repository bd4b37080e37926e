import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, TextField, TimeField, YuanField } from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';
import { EXCEPTION_STATES } from '../platform/exceptions/exceptions.types.js';
import type { ExceptionFilter, ExceptionState } from '../platform/exceptions/exceptions.types.js';
import type { RefundView } from '../refunds/refunds.types.js';
import type { ShownException } from './exception-actions.service.js';
import { EXCEPTION_ACTIONS, EXCEPTION_KINDS, kindOf } from './exception-kinds.js';
import type { ExceptionAction } from './exception-kinds.js';
import { RefundAnswer, toRefundAnswer } from './refunds.dto.js';

const STATUS_CHOICES = [...EXCEPTION_STATES, 'all'] as const;
/** What goes into the column of the resolution together with the words before it. */
const NOTE_LENGTH_MAX = 400;
/** WeChat Pay's reason of a refund is shorter still; its beginning is what the customer sees. */
const REFUND_NOTE_LENGTH_MAX = 200;

export class ExceptionParams {
  @TextField({ about: 'The id of the exception.', lengthMax: 19, pattern: /^\d{1,19}$/, example: '42' })
  id!: string;
}

export class ExceptionsQuery extends PageQuery {
  @ChoiceField({ about: 'What is wrong.', of: EXCEPTION_KINDS, optional: true })
  kind?: string;

  @ChoiceField({ about: '`open` when left out.', of: STATUS_CHOICES, optional: true })
  status?: (typeof STATUS_CHOICES)[number];

  @TextField({
    about: 'What it is about: mostly the merchant number of an order.',
    lengthMax: 100,
    optional: true,
  })
  subject?: string;

  @TimeField({ about: 'Not opened before this.', optional: true })
  from?: Date;

  @TimeField({ about: 'Opened before this.', optional: true })
  to?: Date;
}

export function toExceptionFilter({
  status = 'open',
  ...filter
}: Omit<ExceptionsQuery, 'limit' | 'cursor'>): ExceptionFilter {
  return status === 'all' ? filter : { ...filter, status };
}

export class NoteDto {
  @TextField({ about: 'Why; kept in the audit log.', lengthMax: NOTE_LENGTH_MAX, example: '已联系客户' })
  note!: string;
}

export class GrantHeldDto extends NoteDto {
  @ChoiceField({ about: 'What the user gets.', of: ['basic', 'premium'], example: 'premium' })
  packageType!: 'basic' | 'premium';
}

export class RefundHeldDto {
  @YuanField({ about: 'How much goes back, in yuan; all that is left when left out.', optional: true })
  amount?: string;

  @TextField({
    about: 'Why. The customer sees its beginning.',
    lengthMax: REFUND_NOTE_LENGTH_MAX,
    example: '金额不符，退款',
  })
  note!: string;
}

export class ExceptionAnswer {
  @ApiProperty({ example: '42' })
  id!: string;

  @ApiProperty({ enum: EXCEPTION_KINDS, example: 'payment_held' })
  kind!: string;

  @ApiProperty({ description: 'What the kind means, in plain words.' })
  meaning!: string;

  @ApiProperty({ description: 'What it is about: mostly the merchant number of an order.' })
  subject!: string;

  @ApiProperty({ description: 'What is wrong with this one, in plain words.' })
  reason!: string;

  @ApiProperty({ type: 'object', additionalProperties: true })
  detail!: Record<string, unknown>;

  @ApiProperty({ enum: EXCEPTION_STATES })
  status!: ExceptionState;

  @ApiProperty({
    enum: EXCEPTION_ACTIONS,
    isArray: true,
    description:
      'What can be done now. `retry` and `redirect` are routes below /api/admin/refunds/{subject}; `resend` is one below /api/admin/outbox/{detail.outboxMessageId}; the others are routes below this exception.',
  })
  actions!: ExceptionAction[];

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'How it ends, for one that cannot be dismissed because work about it goes on by itself.',
  })
  endsBy!: string | null;

  @ApiProperty({ format: 'date-time' })
  openedAt!: string;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Or when it was dismissed.',
  })
  resolvedAt!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'admin:anna' })
  resolvedBy!: string | null;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'How it ended, or the note of who dismissed it.',
  })
  resolution!: string | null;
}

/** What an action came to. */
export class ExceptionActionAnswer {
  @ApiProperty({ example: 'granted', description: 'For programs; a repetition says that nothing changed.' })
  outcome!: string;

  @ApiProperty({ description: 'For people: what happens next.' })
  message!: string;

  @ApiProperty({ type: ExceptionAnswer })
  exception!: ExceptionAnswer;

  @ApiProperty({ type: RefundAnswer, nullable: true, description: 'Of the action `refund`.' })
  refund!: RefundAnswer | null;

  @ApiProperty({
    type: String,
    nullable: true,
    enum: ['paid', 'open', 'closed', 'not_found'],
    description:
      'Of the action `adopt`: what WeChat Pay said of the order; null when it was not asked or did not answer.',
  })
  wechatpay!: string | null;
}

export function toExceptionAnswer(item: ShownException): ExceptionAnswer {
  const { meaning, endsBy = null } = kindOf(item.kind);
  return {
    id: item.id,
    kind: item.kind,
    meaning,
    subject: item.subject,
    reason: item.reason,
    detail: item.detail,
    status: item.status,
    actions: [...item.actions],
    endsBy,
    openedAt: item.openedAt.toISOString(),
    resolvedAt: item.resolvedAt?.toISOString() ?? null,
    resolvedBy: item.resolvedBy,
    resolution: item.resolution,
  };
}

const MESSAGES: Readonly<Record<string, string>> = {
  granted: 'The package is granted, and the notice of it goes out.',
  already_granted: 'The same had been granted already: nothing changed.',
  refund_requested:
    'The refund is on its way. An exception about a held order stays open until all of its money went back, and ends then by itself.',
  released: 'The stored message is being tried again. The exception ends by itself when it is applied.',
  due_already: 'The stored message is being tried already: nothing changed.',
  applied_already: 'The message has been applied: there is nothing left to do.',
  dismissed: 'It is not shown as open any more, also when the same is found again.',
  dismissed_already: 'It had been dismissed already: nothing changed.',
  reopened: 'It is open again.',
  open_already: 'It is open already: nothing changed.',
};

export function toActionAnswer(
  item: ShownException,
  done: { outcome: string; refund?: RefundView; wechatpay?: string | null },
): ExceptionActionAnswer {
  const { outcome, refund, wechatpay = null } = done;
  return {
    outcome,
    message: MESSAGES[outcome] ?? '',
    exception: toExceptionAnswer(item),
    refund: refund ? toRefundAnswer(refund) : null,
    wechatpay,
  };
}
