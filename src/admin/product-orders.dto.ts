import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, IntegerField, TextField, TimeField } from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';
import { BATCH_ORDERS_MAX, PRODUCT_ORDER_STATES, SETTABLE_STATES } from '../products/product-orders.types.js';
import type { ProductOrderRecord, SettableState, WorkshopBatch } from '../products/product-orders.types.js';
import { maskName, maskPhone } from '../shared/masking.js';

const ID_PATTERN = /^[0-9A-Za-z_.:-]+$/;
const FORMATS = ['csv', 'xlsx'] as const;

export class ProductOrdersQuery extends PageQuery {
  @ChoiceField({ about: 'The state.', of: PRODUCT_ORDER_STATES, optional: true })
  status?: string;

  @TextField({ about: 'Whose.', lengthMax: 36, optional: true })
  userId?: string;

  @TimeField({ about: 'Not made before this.', optional: true })
  from?: Date;

  @TimeField({ about: 'Made before this.', optional: true })
  to?: Date;
}

export class ProductOrderParams {
  @TextField({ about: 'The id.', lengthMax: 36, pattern: ID_PATTERN })
  id!: string;
}

export class ChangeProductOrderDto {
  @ChoiceField({ about: 'What it becomes. It becomes `exported` by a batch alone.', of: SETTABLE_STATES })
  status!: SettableState;

  @TextField({
    about: 'Why, or the number of the parcel: for the audit log.',
    lengthMax: 500,
    optional: true,
  })
  note?: string;
}

export class ExportBatchDto {
  @IntegerField({
    about: 'How many orders at most.',
    min: 1,
    max: BATCH_ORDERS_MAX,
    fallback: BATCH_ORDERS_MAX,
  })
  limit: number = BATCH_ORDERS_MAX;
}

export class BatchFileQuery {
  @ChoiceField({ about: 'The form of the file.', of: FORMATS, optional: true })
  format: (typeof FORMATS)[number] = 'csv';
}

export class ProductOrderView {
  @ApiProperty({ example: 'product-1706345678901-abc123' })
  id!: string;

  @ApiProperty({ example: 'user-1706345678901-xyz789' })
  userId!: string;

  @ApiProperty({ type: String, nullable: true })
  generationId!: string | null;

  @ApiProperty({ example: 'crystal' })
  productType!: string;

  @ApiProperty({ type: Number, nullable: true, example: 19900 })
  priceFen!: number | null;

  @ApiProperty({ type: String, nullable: true, example: '199.00' })
  price!: string | null;

  @ApiProperty({ enum: [...PRODUCT_ORDER_STATES], example: 'paid' })
  status!: string;

  @ApiProperty({ type: String, nullable: true, description: 'The batch in which it went to the workshop.' })
  batchId!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Masked.', example: '张**' })
  shippingName!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'Masked.', example: '138****5678' })
  shippingPhone!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time' })
  createdAt!: string | null;

  @ApiProperty({ type: String, nullable: true, format: 'date-time' })
  updatedAt!: string | null;
}

export class WorkshopBatchView {
  @ApiProperty({ description: 'For its file.', example: 'batch-1706345678901-0f1e2d3c4b5a' })
  id!: string;

  @ApiProperty({ example: 12 })
  count!: number;

  @ApiProperty({ type: [String] })
  orderIds!: readonly string[];
}

export function toProductOrderView(order: ProductOrderRecord): ProductOrderView {
  return {
    id: order.id,
    userId: order.userId,
    generationId: order.generationId,
    productType: order.productType,
    priceFen: order.price?.fen ?? null,
    price: order.price?.toYuan() ?? null,
    status: order.status,
    batchId: order.batchId,
    shippingName: order.shippingName === null ? null : maskName(order.shippingName),
    shippingPhone: order.shippingPhone === null ? null : maskPhone(order.shippingPhone),
    createdAt: order.createdAt?.toISOString() ?? null,
    updatedAt: order.updatedAt?.toISOString() ?? null,
  };
}

export function toBatchView({ id, orderIds }: WorkshopBatch): WorkshopBatchView {
  return { id, count: orderIds.length, orderIds };
}
