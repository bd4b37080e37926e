import type { SheetRow } from '../platform/spreadsheet/sheet.js';
import { MoneyTotal } from '../shared/money-total.js';
import { text, time, yuan } from './export-table.js';
import type { ExportTable } from './export-table.js';
import type { OrderExportRow } from './exports.repository.js';
import { ORDER_STATUS_WORDS, PACKAGE_WORDS, wordFor } from './report-words.js';

/** An order in one of these states was paid, whatever went back later. */
const PAID_STATES = new Set(['paid', 'refunded']);
const NOTHING = '0.00';

export class OrderExportTable implements ExportTable<OrderExportRow> {
  readonly title = '支付订单';
  readonly columns = [
    text('订单ID'),
    text('商户订单号'),
    text('微信支付订单号'),
    text('用户ID'),
    text('生成记录ID'),
    text('套餐'),
    text('套餐代码'),
    text('支付类型'),
    text('状态'),
    text('状态代码'),
    yuan('订单金额'),
    yuan('实收金额'),
    yuan('已退金额'),
    yuan('净额'),
    time('创建时间'),
    time('支付时间'),
    text('退款原因'),
    text('备注'),
  ];

  private count = 0;
  private paid = MoneyTotal.ZERO;
  private refunded = MoneyTotal.ZERO;

  add(row: OrderExportRow): SheetRow {
    const amount = PAID_STATES.has(row.status) ? row.amount : NOTHING;
    const paid = MoneyTotal.ofYuan(amount);
    this.count += 1;
    this.paid = this.paid.plus(paid);
    let [back, net] = [NOTHING, amount];
    if (row.refunded_fen !== null) {
      const refunded = MoneyTotal.ofFen(row.refunded_fen);
      this.refunded = this.refunded.plus(refunded);
      [back, net] = [refunded.toYuan(), paid.minus(refunded).toYuan()];
    }
    return [
      row.id,
      row.out_trade_no,
      row.transaction_id,
      row.user_id,
      row.generation_id,
      wordFor(PACKAGE_WORDS, row.package_type),
      row.package_type,
      row.trade_type,
      wordFor(ORDER_STATUS_WORDS, row.status),
      row.status,
      row.amount,
      amount,
      back,
      net,
      row.created_at,
      row.paid_at,
      row.refund_reason,
      row.remark,
    ];
  }

  summary(): SheetRow {
    const sums = [this.paid, this.refunded, this.paid.minus(this.refunded)].map((sum) => sum.toYuan());
    return [`合计：${this.count} 笔`, ...Array<null>(10).fill(null), ...sums, ...Array<null>(4).fill(null)];
  }
}
