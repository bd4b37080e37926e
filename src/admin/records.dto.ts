import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, TextField, TimeField } from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';
import type { StoredRecord } from '../reports/records.types.js';

class RecordsQuery extends PageQuery {
  @TimeField({ about: 'Not before this.', optional: true })
  from?: Date;

  @TimeField({ about: 'Before this.', optional: true })
  to?: Date;
}

export class GenerationsQuery extends RecordsQuery {
  @TextField({ about: 'Whose.', lengthMax: 36, optional: true })
  userId?: string;

  @ChoiceField({ about: 'The state.', of: ['pending', 'processing', 'completed', 'failed'], optional: true })
  status?: string;
}

export class GreetingCardsQuery extends RecordsQuery {
  @TextField({ about: 'Whose.', lengthMax: 36, optional: true })
  userId?: string;
}

export class PaymentLogsQuery extends RecordsQuery {
  @TextField({ about: 'What happened.', lengthMax: 50, example: 'payment_callback', optional: true })
  type?: string;

  @TextField({ about: 'The order.', lengthMax: 100, optional: true })
  outTradeNo?: string;

  @TextField({ about: 'The refund.', lengthMax: 100, optional: true })
  outRefundNo?: string;
}

export class ErrorLogsQuery extends RecordsQuery {
  @TextField({ about: 'How bad.', lengthMax: 20, example: 'error', optional: true })
  level?: string;

  @TextField({ about: 'Its code.', lengthMax: 100, optional: true })
  errorCode?: string;
}

export class RecordParams {
  @TextField({ about: 'The id.', lengthMax: 36, pattern: /^[0-9A-Za-z_.:-]+$/ })
  id!: string;
}

export class RecordView {
  @ApiProperty()
  id!: string;

  @ApiProperty({ type: String, nullable: true, format: 'date-time' })
  createdAt!: string | null;

  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    description: 'The columns of the row; openids, phones and secrets in stored documents read `***`.',
  })
  fields!: Readonly<Record<string, unknown>>;
}

export function toRecordView({ id, createdAt, fields }: StoredRecord): RecordView {
  return { id, createdAt: createdAt?.toISOString() ?? null, fields };
}
