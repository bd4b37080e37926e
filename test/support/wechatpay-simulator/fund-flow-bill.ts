import { toBillTime, toDateDigits } from './beijing-time.ts';
import { toBillCsv, toCount, toSum, toYuan } from './bill-csv.ts';
import type { Ledger, Movement, MovementKind } from './ledger.ts';
import type { BillDay } from './trade-bill.ts';

const TITLES = [
  '记账时间',
  '微信支付业务单号',
  '资金流水单号',
  '业务名称',
  '业务类型',
  '收支类型',
  '收支金额(元)',
  '账户结余(元)',
  '资金变更提交申请人',
  '备注',
  '业务凭证号',
];
const SUM_TITLES = ['资金流水总笔数', '收入笔数', '收入金额', '支出笔数', '支出金额'];

const WORDS: Record<MovementKind, string> = {
  payment: '交易',
  fee: '扣除交易手续费',
  refund: '退款',
  'refund-returned': '退款失败返还',
  withdrawal: '提现',
  'top-up': '充值',
};

/** @returns the file, or null when nothing was booked that day */
export function writeFundFlowBill(ledger: Ledger, day: BillDay): Buffer | null {
  // Numbered over all days, because a booking keeps its number.
  const numbered = ledger.movements.map((movement, index) => ({ movement, number: index + 1 }));
  const ofDay = numbered.filter(({ movement: { atMs } }) => atMs >= day.startMs && atMs < day.endMs);
  if (ofDay.length === 0) return null;
  const amounts = ofDay.map(({ movement }) => movement.amountFen);
  const incomes = amounts.filter((fen) => fen > 0);
  const expenses = amounts.filter((fen) => fen < 0);
  return toBillCsv({
    titles: TITLES,
    rows: ofDay.map(({ movement, number }) => toFields(movement, number)),
    sumTitles: SUM_TITLES,
    sums: [
      toCount(ofDay.length),
      toCount(incomes.length),
      toSum(sum(incomes)),
      toCount(expenses.length),
      toSum(Math.abs(sum(expenses))),
    ],
  });
}

function toFields(movement: Movement, number: number): string[] {
  const word = WORDS[movement.kind];
  return [
    toBillTime(movement.atMs),
    movement.businessNo,
    `${toDateDigits(movement.atMs)}${String(number).padStart(10, '0')}`,
    word,
    word,
    movement.amountFen > 0 ? '收入' : '支出',
    toYuan(Math.abs(movement.amountFen)),
    toYuan(movement.balanceFen),
    'system',
    movement.remark,
    movement.voucherNo,
  ];
}

function sum(amountsFen: readonly number[]): number {
  return amountsFen.reduce((total, fen) => total + fen, 0);
}
