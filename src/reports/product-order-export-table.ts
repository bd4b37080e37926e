import type { SheetRow } from '../platform/spreadsheet/sheet.js';
import { maskName, maskPhone } from '../shared/masking.js';
import { MoneyTotal } from '../shared/money-total.js';
import { text, time, yuan } from './export-table.js';
import type { ExportTable } from './export-table.js';
import type { ProductOrderExportRow } from './exports.repository.js';
import { PRODUCT_ORDER_STATUS_WORDS, PRODUCT_WORDS, wordFor } from './report-words.js';

const PAID_STATES = new Set(['paid', 'exported', 'shipped', 'delivered']);

/** For the books. Where it is sent stands in the file for the workshop, and in no other. */
export class ProductOrderExportTable implements ExportTable<ProductOrderExportRow> {
  readonly title = '实体产品订单';
  readonly columns = [
    text('订单ID'),
    text('用户ID'),
    text('生成记录ID'),
    text('产品'),
    text('产品代码'),
    text('状态'),
    text('状态代码'),
    yuan('价格'),
    yuan('已付金额'),
    text('收件人'),
    text('联系电话'),
    time('创建时间'),
    time('更新时间'),
  ];

  private count = 0;
  private paid = MoneyTotal.ZERO;

  add(row: ProductOrderExportRow): SheetRow {
    const paid = PAID_STATES.has(row.status) ? MoneyTotal.ofYuan(row.product_price) : MoneyTotal.ZERO;
    this.count += 1;
    this.paid = this.paid.plus(paid);
    return [
      row.id,
      row.user_id,
      row.generation_id,
      wordFor(PRODUCT_WORDS, row.product_type),
      row.product_type,
      wordFor(PRODUCT_ORDER_STATUS_WORDS, row.status),
      row.status,
      row.product_price,
      paid.toYuan(),
      maskName(row.shipping_name ?? ''),
      maskPhone(row.shipping_phone ?? ''),
      row.created_at,
      row.updated_at,
    ];
  }

  summary(): SheetRow {
    const around = Array<null>(7).fill(null);
    return [`合计：${this.count} 笔`, ...around, this.paid.toYuan(), ...Array<null>(4).fill(null)];
  }
}
