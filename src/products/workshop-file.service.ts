import { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import { toCsv } from '../platform/spreadsheet/csv.js';
import type { Sheet, SheetRow } from '../platform/spreadsheet/sheet.js';
import { toXlsx } from '../platform/spreadsheet/xlsx.js';
import type { Actor } from '../shared/actor.js';
import { ProductOrdersService } from './product-orders.service.js';
import type { ProductOrderRecord } from './product-orders.types.js';

const COLUMNS: Sheet['columns'] = [
  '订单ID',
  '产品',
  '生成记录ID',
  '状态',
  '收件人',
  '联系电话',
  '收件地址',
].map((heading) => ({ heading, kind: 'text' }));

/** The file of a batch, for those who print and send: the one place where whole addresses leave this backend. */
@Injectable()
export class WorkshopFileService {
  constructor(private readonly orders: ProductOrdersService) {}

  async make(batchId: string, format: 'csv' | 'xlsx', by: Actor): Promise<Readable> {
    const orders = await this.orders.readBatch(batchId, by);
    async function* batches(): AsyncGenerator<readonly SheetRow[]> {
      yield orders.map(toRow);
      yield [[`合计：${orders.length} 笔`, ...Array<null>(COLUMNS.length - 1).fill(null)]];
    }
    const sheet: Sheet = { name: '生产清单', columns: COLUMNS, batches: batches() };
    return Readable.from(format === 'csv' ? toCsv(sheet) : toXlsx(sheet));
  }
}

function toRow(order: ProductOrderRecord): SheetRow {
  const { shippingName, shippingPhone, shippingAddress } = order;
  return [
    order.id,
    order.productType,
    order.generationId,
    order.status,
    shippingName,
    shippingPhone,
    shippingAddress,
  ];
}
