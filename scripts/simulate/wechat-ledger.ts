import type { Order } from '../../test/support/wechatpay-simulator/ledger.ts';
import type { Lab } from './lab.ts';
import { fenOf, sum, toYuan } from './money.ts';
import {
  compareRefunds,
  fenUnderWay,
  findOpenRefunds,
  readRefundBooks,
  REFUND_DIFFERENCES,
  sumRefunds,
} from './refund-ledger.ts';
import type { RefundBooks, RefundTotals } from './refund-ledger.ts';

type Row = {
  out_trade_no: string;
  status: string | null;
  amount: string;
  transaction_id: string | null;
  /** Seconds since 1970, whatever the zone of the session. */
  paid_at_s: string | number | null;
};

/** Each must not happen. */
const DIFFERENCES = [
  'paid at WeChat Pay, not here',
  'paid here, not at WeChat Pay',
  'open on one side only',
  'another transaction',
  'another amount',
  'another time of payment',
  ...REFUND_DIFFERENCES,
  'sums of money that differ',
] as const;
type DifferenceKind = (typeof DIFFERENCES)[number];

export type Difference = { readonly kind: DifferenceKind; readonly subject: string; readonly what: string };

/** The tables beside WeChat Pay's ledger, over all orders of a lab. */
export type LedgerTotals = {
  readonly atWechatPay: { readonly orders: number; readonly fen: number };
  readonly inTables: { readonly orders: number; readonly fen: number };
  /** Held because the row states another amount; their money is in neither sum. */
  readonly disputed: number;
  readonly refunds: RefundTotals;
  readonly broken: Readonly<Record<string, readonly string[]>>;
};

/** `paid_at` has whole seconds, rounded. */
const TIME_DIFFERENCE_MS_MAX = 1_000;

export async function compareWithLedger(lab: Lab): Promise<LedgerTotals> {
  const books = await readRefundBooks(lab);
  const rows = await readRows(lab);
  const paid = lab.simulator.ledger.orders.filter(({ payment }) => payment !== null);
  const isPlain = (outTradeNo: string) => !lab.disputed.has(outTradeNo);
  const inLedger = paid.filter(({ outTradeNo }) => isPlain(outTradeNo));
  const inTables = [...rows.values()].filter((row) => isPaidRow(row) && isPlain(row.out_trade_no));
  const sums = {
    atWechatPay: { orders: inLedger.length, fen: sum(inLedger.map(({ totalFen }) => totalFen)) },
    inTables: { orders: inTables.length, fen: sum(inTables.map(({ amount }) => fenOf(amount))) },
  };
  const refunds = sumRefunds(lab, books);
  const differences = differencesOf(lab, { rows, books }, [
    ...new Set([...rows.keys(), ...lab.simulator.ledger.orders.map(({ outTradeNo }) => outTradeNo)]),
  ]);
  if (sums.atWechatPay.fen !== sums.inTables.fen) {
    const what = `${toYuan(sums.inTables.fen)} here, ${toYuan(sums.atWechatPay.fen)} at WeChat Pay`;
    differences.push({ kind: 'sums of money that differ', subject: 'all orders', what });
  }
  const disputedFen = sum(
    paid.filter(({ outTradeNo }) => !isPlain(outTradeNo)).map(({ totalFen }) => totalFen),
  );
  const netFen = sums.inTables.fen + disputedFen - refunds.inTables.fen;
  const leftFen = lab.simulator.ledger.balanceFen + fenUnderWay(lab);
  if (netFen !== leftFen) {
    const what = `${toYuan(leftFen)} instead of ${toYuan(netFen)}`;
    differences.push({ kind: 'sums of money that differ', subject: 'the account at WeChat Pay', what });
  }
  for (const { outTradeNo, what } of findOpenRefunds(books))
    differences.push({ kind: 'our refund left open', subject: outTradeNo, what });
  const ofKind = (kind: DifferenceKind) =>
    differences.filter((one) => one.kind === kind).map(({ subject, what }) => `${subject}: ${what}`);
  const broken = Object.fromEntries(DIFFERENCES.map((kind) => [kind, ofKind(kind)]));
  return { ...sums, disputed: lab.disputed.size, refunds, broken };
}

export async function findDifferences(lab: Lab, outTradeNos: readonly string[]): Promise<Difference[]> {
  const books = await readRefundBooks(lab);
  return differencesOf(lab, { rows: await readRows(lab), books }, outTradeNos);
}

function differencesOf(
  lab: Lab,
  { rows, books }: { rows: ReadonlyMap<string, Row>; books: RefundBooks },
  outTradeNos: readonly string[],
): Difference[] {
  return outTradeNos.flatMap((subject) => {
    const order = lab.simulator.ledger.findOrder(subject);
    const row = rows.get(subject);
    const found = [
      ...(order?.payment ? comparePaid(lab, order, row) : compareUnpaid(order, row)),
      ...compareRefunds(lab, books, { outTradeNo: subject, status: row?.status ?? null }),
    ];
    return found.map(([kind, what]): Difference => ({ kind, subject, what }));
  });
}

type Found = [DifferenceKind, string];

function comparePaid(lab: Lab, { outTradeNo, totalFen, payment }: Readonly<Order>, row?: Row): Found[] {
  if (!payment) return [];
  if (!row || !isPaidRow(row)) return [['paid at WeChat Pay, not here', row?.status ?? 'no row']];
  const found: Found[] = [];
  if (row.transaction_id !== payment.transactionId) {
    found.push(['another transaction', `${row.transaction_id} instead of ${payment.transactionId}`]);
  }
  if (row.amount !== toYuan(totalFen) && !lab.disputed.has(outTradeNo)) {
    found.push(['another amount', `${row.amount} instead of ${toYuan(totalFen)}`]);
  }
  const lateMs = Number(row.paid_at_s) * 1000 - payment.successTimeMs;
  if (Math.abs(lateMs) > TIME_DIFFERENCE_MS_MAX && !lab.timedByFunction.has(outTradeNo)) {
    found.push(['another time of payment', `off by ${Math.round(lateMs / 1000)} s`]);
  }
  return found;
}

function compareUnpaid(order: Readonly<Order> | undefined, row?: Row): Found[] {
  const state = order?.state ?? 'unknown there';
  if (!row) return [];
  if (isPaidRow(row)) return [['paid here, not at WeChat Pay', state]];
  if ((row.status === 'failed') === (state === 'CLOSED')) return [];
  return [['open on one side only', `${row.status} here, ${state} there`]];
}

/** All of the lab's: the database is its own. */
async function readRows({ database }: Lab): Promise<Map<string, Row>> {
  const rows = await database.rows<Row>(
    `SELECT out_trade_no, status, amount, transaction_id, UNIX_TIMESTAMP(paid_at) AS paid_at_s
       FROM payment_orders`,
  );
  return new Map(rows.map((row) => [row.out_trade_no, row]));
}

function isPaidRow({ status }: Row): boolean {
  return status === 'paid' || status === 'refunded';
}
