import { ChoiceField, TextField, TimeField } from '../platform/http/fields.js';
import { EXPORT_FORMATS, EXPORT_TIMES } from '../reports/exports.types.js';
import type { ExportFormat, ExportTime } from '../reports/exports.types.js';

const USER_ID_EXAMPLE = 'user-1706345678901-xyz789';

class ExportQuery {
  @ChoiceField({ about: 'The form of the file.', of: EXPORT_FORMATS, fallback: 'csv', optional: true })
  format: ExportFormat = 'csv';

  @TimeField({ about: 'Not before this.' })
  from!: Date;

  @TimeField({ about: 'Before this; at most 366 days later.', example: '2026-02-27T00:00:00+08:00' })
  to!: Date;
}

export class OrderExportQuery extends ExportQuery {
  @ChoiceField({
    about: 'Which time counts: when the order was made, or (`settled`) when it was paid.',
    of: EXPORT_TIMES,
    fallback: 'created',
    optional: true,
  })
  by: ExportTime = 'created';

  @ChoiceField({ about: 'The state.', of: ['pending', 'paid', 'failed', 'refunded'], optional: true })
  status?: string;

  @ChoiceField({ about: 'The package.', of: ['free', 'basic', 'premium'], optional: true })
  packageType?: string;

  @TextField({ about: 'The kind of payment.', lengthMax: 20, example: 'JSAPI', optional: true })
  tradeType?: string;

  @TextField({ about: 'Whose.', lengthMax: 36, example: USER_ID_EXAMPLE, optional: true })
  userId?: string;
}

export class RefundExportQuery extends ExportQuery {
  @ChoiceField({
    about: 'Which time counts: when the refund was made, or (`settled`) when the money arrived.',
    of: EXPORT_TIMES,
    fallback: 'created',
    optional: true,
  })
  by: ExportTime = 'created';

  @ChoiceField({ about: 'The state.', of: ['pending', 'success', 'closed', 'abnormal'], optional: true })
  status?: string;

  @TextField({ about: 'Whose.', lengthMax: 36, example: USER_ID_EXAMPLE, optional: true })
  userId?: string;
}

export class ProductOrderExportQuery extends ExportQuery {
  @ChoiceField({
    about: 'The state.',
    of: ['pending', 'paid', 'exported', 'shipped', 'delivered', 'cancelled'],
    optional: true,
  })
  status?: string;

  @TextField({ about: 'Whose.', lengthMax: 36, example: USER_ID_EXAMPLE, optional: true })
  userId?: string;
}
