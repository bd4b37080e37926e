import { ApiProperty } from '@nestjs/swagger';
import { amountView, ChoiceField, TextField, TimeField, YuanField } from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';
import { SCHEDULED_PACKAGES } from '../prices/price-schedules.types.js';
import type { PriceState, ScheduledPrice } from '../prices/price-schedules.types.js';
import { Money } from '../shared/money.js';

type Package = ScheduledPrice['packageType'];

export class PricesQuery extends PageQuery {
  @ChoiceField({ about: 'Prices of this package only.', of: SCHEDULED_PACKAGES, optional: true })
  packageType?: Package;
}

export class PriceParams {
  @TextField({ about: 'The id of the price.', lengthMax: 20, pattern: /^\d+$/, example: '7' })
  id!: string;
}

export class SchedulePriceDto {
  @ChoiceField({ about: 'The package.', of: SCHEDULED_PACKAGES, example: 'premium' })
  packageType!: Package;

  @YuanField({ about: 'Yuan, more than 0.' })
  amount!: string;

  @TimeField({ about: 'From when on; from now on when it is left out.', optional: true })
  effectiveAt?: Date;

  @TextField({ about: 'Why, for those who read the history.', lengthMax: 500, optional: true })
  note?: string;
}

export class PriceView {
  @ApiProperty({ example: '7' })
  id!: string;

  @ApiProperty({ enum: SCHEDULED_PACKAGES })
  packageType!: Package;

  @ApiProperty({ type: 'integer', example: 2990 })
  amountFen!: number;

  @ApiProperty({ description: 'Yuan.', example: '29.90' })
  amount!: string;

  @ApiProperty({ enum: ['scheduled', 'in_force', 'past', 'cancelled'] })
  state!: PriceState;

  @ApiProperty({ format: 'date-time', example: '2026-01-27T00:00:00.000Z' })
  effectiveAt!: string;

  @ApiProperty({ example: 'admin:anna' })
  author!: string;

  @ApiProperty({ type: String, nullable: true })
  note!: string | null;

  @ApiProperty({ format: 'date-time', example: '2026-01-26T10:30:00.000Z' })
  createdAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  cancelledAt!: string | null;

  @ApiProperty({ type: String, nullable: true })
  cancelledBy!: string | null;
}

export function toPriceView(price: ScheduledPrice): PriceView {
  return {
    id: price.id,
    packageType: price.packageType,
    ...amountView(Money.ofFen(price.amountFen)),
    state: price.state,
    effectiveAt: price.effectiveAt.toISOString(),
    author: price.author,
    note: price.note,
    createdAt: price.createdAt.toISOString(),
    cancelledAt: price.cancelledAt?.toISOString() ?? null,
    cancelledBy: price.cancelledBy,
  };
}
