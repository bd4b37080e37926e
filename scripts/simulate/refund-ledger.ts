import { statusOf } from '../../test/support/wechatpay-simulator/ledger.ts';
import type { Refund } from '../../test/support/wechatpay-simulator/ledger.ts';
import type { Lab } from './lab.ts';
import { fenOf, sum, toYuan } from './money.ts';

type RefundRow = {
  out_refund_no: string;
  out_trade_no: string;
  status: string | null;
  refund_amount: string;
};
type SettlementRow = {
  out_refund_no: string;
  out_trade_no: string;
  origin: 'operator' | 'foreign';
  status: string;
  stage: string;
  refund_fen: string | number | null;
};

/** Each must not happen. */
export const REFUND_DIFFERENCES = [
  'refunded otherwise than there',
  'refunded unlike its money',
  'our refund not once at WeChat Pay',
  'more promised back than was paid',
  'our refund left open',
] as const;
type RefundDifference = (typeof REFUND_DIFFERENCES)[number];

/** All refunds of the lab, as its tables have them. */
export type RefundBooks = {
  readonly rows: ReadonlyMap<string, readonly RefundRow[]>;
  readonly settlements: ReadonlyMap<string, readonly SettlementRow[]>;
};

export type RefundTotals = {
  readonly atWechatPay: { readonly refunds: number; readonly fen: number };
  readonly inTables: { readonly refunds: number; readonly fen: number };
};

export async function readRefundBooks({ database }: Lab): Promise<RefundBooks> {
  const rows = await database.rows<RefundRow>(
    'SELECT out_refund_no, out_trade_no, status, refund_amount FROM refunds',
  );
  const settlements = await database.rows<SettlementRow>(
    'SELECT out_refund_no, out_trade_no, origin, status, stage, refund_fen FROM refund_settlements',
  );
  return {
    rows: Map.groupBy(rows, (row) => row.out_trade_no),
    settlements: Map.groupBy(settlements, (row) => row.out_trade_no),
  };
}

export function sumRefunds({ simulator: { ledger } }: Lab, { rows }: RefundBooks): RefundTotals {
  const made = ledger.refunds.filter(isSuccess);
  const shown = [...rows.values()].flat().filter(({ status }) => status === 'success');
  return {
    atWechatPay: { refunds: made.length, fen: sum(made.map(({ refundFen }) => refundFen)) },
    inTables: { refunds: shown.length, fen: sum(shown.map((row) => fenOf(row.refund_amount))) },
  };
}

/** Every story sees its refunds to their end. */
export function findOpenRefunds({ settlements }: RefundBooks): { outTradeNo: string; what: string }[] {
  const open = [...settlements.values()].flat().filter((one) => !['success', 'closed'].includes(one.status));
  return open.map((one) => ({ outTradeNo: one.out_trade_no, what: `${one.out_refund_no} is ${one.status}` }));
}

/** What has left the merchant's account and has not arrived. */
export function fenUnderWay({ simulator: { ledger } }: Lab): number {
  const isUnderWay = (refund: Refund) =>
    refund.isCovered && ['PROCESSING', 'ABNORMAL'].includes(statusOf(refund));
  return sum(ledger.refunds.filter(isUnderWay).map(({ refundFen }) => refundFen));
}

export function compareRefunds(
  { simulator: { ledger } }: Lab,
  books: RefundBooks,
  order: { readonly outTradeNo: string; readonly status: string | null },
): [RefundDifference, string][] {
  const { outTradeNo, status } = order;
  const atWechatPay = ledger.findOrder(outTradeNo);
  const paidFen = atWechatPay?.payment ? atWechatPay.totalFen : 0;
  const made = atWechatPay ? ledger.refundsOf(atWechatPay) : [];
  const settlements = books.settlements.get(outTradeNo) ?? [];
  const rows = (books.rows.get(outTradeNo) ?? []).filter((row) => row.status === 'success');
  const madeFen = sum(made.filter(isSuccess).map(({ refundFen }) => refundFen));
  const shownFen = sum(rows.map((row) => fenOf(row.refund_amount)));
  const promisedFen = sum(
    settlements.filter((one) => one.status !== 'closed').map((one) => Number(one.refund_fen)),
  );
  const isAllBack = paidFen > 0 && madeFen === paidFen;
  const found: [RefundDifference, string | false][] = [
    [
      'refunded otherwise than there',
      shownFen !== madeFen && `${toYuan(shownFen)} here, ${toYuan(madeFen)} at WeChat Pay`,
    ],
    [
      'refunded unlike its money',
      (status === 'refunded') !== isAllBack &&
        `${status} with ${toYuan(madeFen)} of ${toYuan(paidFen)} paid back`,
    ],
    [
      'more promised back than was paid',
      promisedFen > paidFen && `${toYuan(promisedFen)} of ${toYuan(paidFen)}`,
    ],
    ...settlements.map((one): [RefundDifference, string | false] => [
      'our refund not once at WeChat Pay',
      findUnmade(one, made),
    ]),
  ];
  return found.flatMap(([kind, what]) => (what === false ? [] : [[kind, what]]));
}

/** One of ours that was sent and is not closed is there exactly once, with the same money. */
function findUnmade(settlement: SettlementRow, made: readonly Refund[]): string | false {
  const { out_refund_no, origin, status, stage, refund_fen } = settlement;
  if (origin !== 'operator' || status === 'closed') return false;
  const there = made.filter((refund) => refund.outRefundNo === out_refund_no);
  if (stage === 'requested') return there.length > 0 && `${out_refund_no} was not sent, and is there`;
  const isOnce = there.length === 1 && there[0]?.refundFen === Number(refund_fen);
  return !isOnce && `${out_refund_no}, ${status} here, is there ${there.length} times`;
}

function isSuccess(refund: Readonly<Refund>): boolean {
  return statusOf(refund) === 'SUCCESS';
}
