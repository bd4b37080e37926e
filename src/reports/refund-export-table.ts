import type { SheetRow } from '../platform/spreadsheet/sheet.js';
import { MoneyTotal } from '../shared/money-total.js';
import { text, time, yuan } from './export-table.js';
import type { ExportTable } from './export-table.js';
import type { RefundExportRow } from './exports.repository.js';
import { REFUND_STATUS_WORDS, wordFor } from './report-words.js';

/**
 * The amount of a refund that others wrote into the table may be in fen or in yuan. Until it is settled which, its cell
 * is empty and it counts for nothing, as everywhere in this backend.
 */
export class RefundExportTable implements ExportTable<RefundExportRow> {
  readonly title = '退款记录';
  readonly columns = [
    text('商户退款单号'),
    text('微信退款单号'),
    text('商户订单号'),
    text('微信支付订单号'),
    text('用户ID'),
    text('状态'),
    text('状态代码'),
    text('金额已确认'),
    yuan('退款金额'),
    yuan('退款成功金额'),
    yuan('订单金额'),
    text('退款原因'),
    time('申请时间'),
    time('退款完成时间'),
  ];

  private count = 0;
  private refunded = MoneyTotal.ZERO;

  add(row: RefundExportRow): SheetRow {
    const amount = row.refund_fen === null ? null : MoneyTotal.ofFen(row.refund_fen);
    const refunded = amount !== null && row.status === 'success' ? amount : MoneyTotal.ZERO;
    this.count += 1;
    this.refunded = this.refunded.plus(refunded);
    return [
      row.out_refund_no,
      row.refund_id,
      row.out_trade_no,
      row.transaction_id,
      row.user_id,
      wordFor(REFUND_STATUS_WORDS, row.status),
      row.status,
      amount === null ? '否' : '是',
      amount?.toYuan() ?? null,
      refunded.toYuan(),
      row.order_amount,
      row.reason,
      row.created_at,
      row.refunded_at,
    ];
  }

  summary(): SheetRow {
    const around = Array<null>(8).fill(null);
    return [`合计：${this.count} 笔`, ...around, this.refunded.toYuan(), ...Array<null>(4).fill(null)];
  }
}
