import { UnexpectedContent } from './answer-reader.js';
import type { WechatpayBillRefund } from './wechatpay.types.js';

/** Every field of a row stands behind one, and only there: titles and the sums' titles have none. */
const FIELD_MARK = '`';
const FIELD_BREAK = ',`';

const TITLES = {
  transactionId: '微信订单号',
  outTradeNo: '商户订单号',
  refundId: '微信退款单号',
  outRefundNo: '商户退款单号',
} as const;

/**
 * The refunds of a trade bill. Columns are found by their titles, because merchants get different sets of them; commas may
 * stand inside names. @throws UnexpectedContent when a title is missing or a row is cut short
 */
export function readBillRefunds(bill: Buffer): WechatpayBillRefund[] {
  const [head = '', ...lines] = bill
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/);
  const titles = head.split(',').map((title) => title.replace(FIELD_MARK, ''));
  const columns = Object.entries(TITLES).map(([name, title]) => {
    const at = titles.indexOf(title);
    if (at < 0) throw new UnexpectedContent(`the bill's column ${title}`, 'there');
    return [name as keyof typeof TITLES, at] as const;
  });
  const endsAt = lines.findIndex((line) => !line.startsWith(FIELD_MARK));
  return lines
    .slice(0, endsAt < 0 ? lines.length : endsAt)
    .map((line) => readRow(line, titles.length, columns))
    .filter(({ outRefundNo }) => outRefundNo !== '' && outRefundNo !== '0');
}

function readRow(
  line: string,
  width: number,
  columns: readonly (readonly [keyof typeof TITLES, number])[],
): WechatpayBillRefund {
  const fields = line.slice(FIELD_MARK.length).split(FIELD_BREAK);
  if (fields.length !== width) throw new UnexpectedContent('a row of the bill', 'as long as its titles');
  const values = columns.map(([name, at]) => [name, (fields[at] ?? '').trim()]);
  return Object.fromEntries(values) as WechatpayBillRefund;
}
