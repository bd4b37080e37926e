import { toBillTime } from './beijing-time.ts';
import { toBillCsv, toCount, toFee, toSum, toYuan } from './bill-csv.ts';
import type { Merchant } from './keys.ts';
import { refundSuccessTimeMs, statusAt } from './ledger.ts';
import type { Ledger, Order, Payment, Refund, RefundStatus } from './ledger.ts';
import type { Settings } from './settings.ts';

export const TRADE_BILLS = ['ALL', 'SUCCESS', 'REFUND'] as const;
export type TradeBill = (typeof TRADE_BILLS)[number];

/** One day, and the moment at which its bill was written: what changed later is not in it. */
export type BillDay = { readonly startMs: number; readonly endMs: number; readonly writtenMs: number };

type Row = {
  readonly atMs: number;
  readonly order: Readonly<Order>;
  readonly payment: Payment;
  readonly refund: Readonly<Refund> | null;
};

type Context = { merchant: Merchant; settings: Settings; day: BillDay; kind: TradeBill };

type Column = {
  /** The title of today, and the one of before; null where there was no such column. */
  readonly titles: readonly [string, string | null];
  /** The bills it is in; absent: all of them. */
  readonly bills?: readonly TradeBill[];
  readonly of: (row: Row, context: Context) => string;
};

const WITH_REFUNDS: readonly TradeBill[] = ['ALL', 'REFUND'];
const ONLY_REFUNDS: readonly TradeBill[] = ['REFUND'];

const REFUND_WORDS: Record<RefundStatus, string> = {
  SUCCESS: 'SUCCESS',
  CLOSED: 'FAIL',
  PROCESSING: 'PROCESSING',
  ABNORMAL: 'PROCESSING',
};

/** @returns a column that has the same title now as before */
function column(title: string, of: Column['of'], bills?: readonly TradeBill[]): Column {
  return { titles: [title, title], of, ...(bills && { bills }) };
}

const COLUMNS: readonly Column[] = [
  // The REFUND bill has times of its own for the refund, and here that of the payment.
  column('交易时间', (row, { kind }) => toBillTime(kind === 'REFUND' ? row.payment.successTimeMs : row.atMs)),
  column('公众账号ID', (_row, { merchant }) => merchant.appid),
  column('商户号', (_row, { merchant }) => merchant.mchid),
  { titles: ['特约商户号', '子商户号'], of: () => '0' },
  column('设备号', () => ''),
  column('微信订单号', ({ payment }) => payment.transactionId),
  column('商户订单号', ({ order }) => order.outTradeNo),
  column('用户标识', ({ payment }) => payment.openid),
  column('交易类型', ({ order }) => order.tradeType),
  column('交易状态', ({ refund }) => (refund ? 'REFUND' : 'SUCCESS')),
  column('付款银行', () => 'OTHERS'),
  column('货币种类', () => 'CNY'),
  { titles: ['应结订单金额', '总金额'], of: (row) => toYuan(orderFen(row)) },
  { titles: ['代金券金额', '企业红包金额'], of: (row) => toYuan(couponFen(row)) },
  column('退款申请时间', ({ refund }) => (refund ? toBillTime(refund.createdAtMs) : ''), ONLY_REFUNDS),
  column('退款成功时间', successTimeOf, ONLY_REFUNDS),
  column('微信退款单号', ({ refund }) => refund?.refundId ?? '0', WITH_REFUNDS),
  column('商户退款单号', ({ refund }) => refund?.outRefundNo ?? '0', WITH_REFUNDS),
  column('退款金额', (row) => toYuan(refundFen(row)), WITH_REFUNDS),
  {
    titles: ['充值券退款金额', '企业红包退款金额'],
    bills: WITH_REFUNDS,
    of: (row) => toYuan(couponRefundFen(row)),
  },
  column('退款类型', ({ refund }) => (refund ? 'ORIGINAL' : ''), WITH_REFUNDS),
  column(
    '退款状态',
    ({ refund }, { day }) => (refund ? REFUND_WORDS[statusAt(refund, day.writtenMs)] : ''),
    WITH_REFUNDS,
  ),
  column('商品名称', ({ order }) => order.description),
  column('商户数据包', ({ order }) => order.attach ?? ''),
  column('手续费', (row) => toFee(feeFen(row))),
  column('费率', (_row, { settings }) => `${toYuan(settings.feeBasisPoints)}%`),
  { titles: ['订单金额', null], of: (row) => toYuan(orderFen(row)) },
  { titles: ['申请退款金额', null], bills: WITH_REFUNDS, of: (row) => toYuan(refundFen(row)) },
  { titles: ['费率备注', null], of: () => '' },
];

type Sum = Omit<Column, 'of'> & { readonly of: (rows: readonly Row[]) => string };

const SUMS: readonly Sum[] = [
  { titles: ['总交易单数', '总交易单数'], of: (rows) => toCount(rows.length) },
  { titles: ['应结订单总金额', '总交易额'], of: sumOf(orderFen) },
  { titles: ['退款总金额', '总退款金额'], bills: WITH_REFUNDS, of: sumOf(refundFen) },
  { titles: ['充值券退款总金额', '总企业红包退款金额'], bills: WITH_REFUNDS, of: sumOf(couponRefundFen) },
  { titles: ['手续费总金额', '手续费总金额'], of: sumOf(feeFen) },
  { titles: ['订单总金额', null], of: sumOf(orderFen) },
  { titles: ['申请退款总金额', null], bills: WITH_REFUNDS, of: sumOf(refundFen) },
];

/** @returns the file, or null when nothing happened that day */
export function writeTradeBill(ledger: Ledger, context: Context): Buffer | null {
  const rows = listRows(ledger, context);
  if (rows.length === 0) return null;
  const { kind, settings } = context;
  const age = settings.billTitles === 'old' ? 1 : 0;
  const isIn = ({ titles, bills }: Pick<Column, 'titles' | 'bills'>): boolean =>
    titles[age] !== null && (bills?.includes(kind) ?? true);
  const columns = COLUMNS.filter(isIn);
  const sums = SUMS.filter(isIn);
  return toBillCsv({
    titles: columns.map(({ titles }) => titles[age] ?? ''),
    rows: rows.map((row) => columns.map((one) => one.of(row, context))),
    sumTitles: sums.map(({ titles }) => titles[age] ?? ''),
    sums: sums.map((one) => one.of(rows)),
  });
}

/** A payment belongs to the day it succeeded, a refund to the day it was accepted; the newest stands first. */
function listRows(ledger: Ledger, { day, kind }: Context): Row[] {
  const payments = ledger.orders.flatMap((order): Row[] => {
    const { payment } = order;
    return payment ? [{ atMs: payment.successTimeMs, order, payment, refund: null }] : [];
  });
  const refunds = ledger.refunds.map((refund): Row => {
    return { atMs: refund.createdAtMs, order: refund.order, payment: refund.payment, refund };
  });
  const wanted = [...(kind === 'REFUND' ? [] : payments), ...(kind === 'SUCCESS' ? [] : refunds)];
  return wanted
    .filter(({ atMs }) => atMs >= day.startMs && atMs < day.endMs)
    .sort((one, other) => other.atMs - one.atMs);
}

function successTimeOf({ refund }: Row, { day }: Context): string {
  const atMs = refund && refundSuccessTimeMs(refund);
  return atMs !== null && atMs <= day.writtenMs ? toBillTime(atMs) : '';
}

function orderFen({ order, refund }: Row): number {
  return refund ? 0 : order.totalFen;
}

function couponFen({ payment, refund }: Row): number {
  return refund ? 0 : payment.couponFen;
}

function refundFen({ refund }: Row): number {
  return refund?.refundFen ?? 0;
}

function couponRefundFen({ refund }: Row): number {
  return refund ? refund.refundFen - refund.payerRefundFen : 0;
}

/** A refund gives back its part of the fee, which a bill writes as a negative fee. */
function feeFen({ payment, refund }: Row): number {
  return refund ? 0 - refund.feeReturnedFen : payment.feeFen;
}

function sumOf(amountFen: (row: Row) => number): Sum['of'] {
  return (rows) => toSum(rows.reduce((sum, row) => sum + amountFen(row), 0));
}
