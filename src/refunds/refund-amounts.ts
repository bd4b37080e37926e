import { Money } from '../shared/money.js';

const FEN_PER_YUAN = 100;

/**
 * What a row of `refunds` that others wrote says in money. The deployed function writes fen into the yuan columns, so the
 * order's own total tells the unit. Null when neither unit fits: such a row says nothing about money.
 */
export function readForeignAmounts(
  row: { readonly refundYuan: string; readonly totalYuan: string },
  orderAmount: Money,
): { readonly refund: Money; readonly total: Money } | null {
  const refund = Money.parseYuan(row.refundYuan);
  const total = Money.parseYuan(row.totalYuan);
  if (!refund || !total || refund.isZero()) return null;
  const isFen = total.fen === orderAmount.fen * FEN_PER_YUAN;
  if (!isFen && !total.equals(orderAmount)) return null;
  const refundFen = isFen ? refund.fen / FEN_PER_YUAN : refund.fen;
  if (!Number.isInteger(refundFen) || refundFen > orderAmount.fen) return null;
  return { refund: Money.ofFen(refundFen), total: orderAmount };
}
