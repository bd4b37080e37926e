import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, TextField } from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';
import { OUTBOX_STATES } from '../platform/outbox/outbox.types.js';
import type { OutboxState, OutboxView } from '../platform/outbox/outbox.types.js';

export class OutboxParams {
  @TextField({ about: 'The id of the row.', lengthMax: 19, pattern: /^\d{1,19}$/, example: '42' })
  id!: string;
}

export class OutboxQuery extends PageQuery {
  @ChoiceField({ about: 'What became of it.', of: OUTBOX_STATES, optional: true })
  status?: OutboxState;

  @TextField({
    about: 'Over which channel it is told.',
    lengthMax: 20,
    pattern: /^[a-z_]+$/,
    example: 'webhook',
    optional: true,
  })
  channel?: string;

  @TextField({
    about: 'What it tells.',
    lengthMax: 40,
    pattern: /^[a-z_]+$/,
    example: 'payment_succeeded',
    optional: true,
  })
  topic?: string;

  @TextField({
    about: 'The key of a fact, which finds its tellings as well, or of one telling.',
    lengthMax: 150,
    example: 'payment_succeeded:170634567890112345',
    optional: true,
  })
  key?: string;
}

export class OutboxAnswer {
  @ApiProperty({ example: '42' })
  id!: string;

  @ApiProperty({ example: 'payment_succeeded' })
  topic!: string;

  @ApiProperty({
    type: String,
    nullable: true,
    example: 'webhook',
    description: 'Null for a fact, which is told over the channels by rows of their own.',
  })
  channel!: string | null;

  @ApiProperty({ example: 'payment_succeeded:170634567890112345:webhook' })
  key!: string;

  @ApiProperty({ enum: OUTBOX_STATES })
  status!: OutboxState;

  @ApiProperty({ description: 'Tries that failed since it is wanted.' })
  attempts!: number;

  @ApiProperty({
    type: String,
    format: 'date-time',
    nullable: true,
    description: 'Of the next try, while pending.',
  })
  dueAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  sentAt!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Why it was not told, in words.' })
  lastError!: string | null;

  @ApiProperty({ format: 'date-time' })
  createdAt!: string;

  @ApiProperty({ description: 'Whether it can be sent again.' })
  canResend!: boolean;
}

export class ResendAnswer {
  @ApiProperty({ enum: ['reopened', 'due_already'], description: '`due_already`: nothing changed.' })
  outcome!: 'reopened' | 'due_already';
}

export function toOutboxAnswer({ dueAt, sentAt, createdAt, ...view }: OutboxView): OutboxAnswer {
  return {
    ...view,
    dueAt: view.status === 'pending' ? dueAt.toISOString() : null,
    sentAt: sentAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString(),
  };
}
