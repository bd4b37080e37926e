import type { BackendApi } from './backend-api.ts';
import type { Totals } from './invariants.ts';
import { isStopping } from './library.ts';
import { toYuan } from './money.ts';
import type { LedgerTotals } from './wechat-ledger.ts';
import { StoryFailed } from './world.ts';

const NAME_WIDTH = 24;
const TEXT_WIDTH = 72;
const COUNT_WIDTH = 34;
const REASON_COUNT_WIDTH = 8;
const SHOWN_MAX = 10;

/** Plays a story and says on one line what happened. @returns whether it ended as it must */
export async function tell({ name }: { name: string }, play: () => Promise<string>): Promise<boolean> {
  const startedMs = performance.now();
  process.stdout.write(`  ${name.padEnd(NAME_WIDTH)}`);
  const seconds = () => `${((performance.now() - startedMs) / 1000).toFixed(1)} s`;
  try {
    const happened = await play();
    process.stdout.write(`${happened.padEnd(TEXT_WIDTH)} ✓ ${seconds()}\n`);
    return true;
  } catch (error) {
    if (isStopping()) return false; // it was broken off, and fails because of that
    const [first = '', ...details] = describe(error).split('\n');
    process.stdout.write(`${first.padEnd(TEXT_WIDTH)} ✗ ${seconds()}\n`);
    for (const detail of details) process.stdout.write(`${' '.repeat(NAME_WIDTH + 4)}${detail}\n`);
    return false;
  }
}

/** Prints the money invariants, with WeChat Pay's ledger where there is one. @returns whether all hold */
export function reportTotals(totals: Totals, api: BackendApi, ledger?: LedgerTotals): boolean {
  const { posted, acknowledged, slowestMs } = api.totals;
  say(`\nMoney, over the ${totals.orders} orders of ${ledger ? 'these stories' : 'this run'}`);
  count('accepted', totals.acceptedOrders, `orders, by ${acknowledged} notices answered 200`);
  count('granted', totals.granted);
  count('held', totals.held);
  if (totals.reasons.size > 0) say('  open exceptions');
  for (const [reason, orders] of totals.reasons)
    say(`${String(orders).padStart(REASON_COUNT_WIDTH)} × ${reason}`);
  count('waiting', totals.waiting, 'reported as paid; what proves it may come until ORDER_WAIT_MINUTES');
  count('unpaid', totals.unpaid);
  if (ledger) reportLedger(ledger);
  const broken = {
    ...totals.broken,
    ...ledger?.broken,
    'notices not answered as agreed': listWrongAnswers(api),
  };
  for (const [promise, which] of Object.entries(broken)) {
    count(promise, which.length);
    for (const detail of which.slice(0, SHOWN_MAX)) say(`${' '.repeat(COUNT_WIDTH + 4)}${detail}`);
  }
  say(`  slowest answer of ${posted}: ${Math.round(slowestMs)} ms (the functions wait 5 s)`);
  return Object.values(broken).every((which) => which.length === 0);
}

function reportLedger({ atWechatPay, inTables, disputed, refunds }: LedgerTotals): void {
  count('paid at WeChat Pay', atWechatPay.orders, `orders, ${toYuan(atWechatPay.fen)} yuan`);
  count('paid in the tables', inTables.orders, `orders, ${toYuan(inTables.fen)} yuan`);
  count('paid, the amount in dispute', disputed, 'held; in neither of the two sums');
  const { atWechatPay: made, inTables: shown } = refunds;
  count('paid back at WeChat Pay', made.refunds, `refunds, ${toYuan(made.fen)} yuan`);
  count('paid back in the tables', shown.refunds, `refunds, ${toYuan(shown.fen)} yuan`);
}

export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

function count(label: string, value: number, remark = ''): void {
  say(`  ${label.padEnd(COUNT_WIDTH)}${String(value).padStart(6)}  ${remark}`.trimEnd());
}

function listWrongAnswers({ wrongAnswers }: BackendApi): string[] {
  return [...wrongAnswers].flatMap(([label, times]) => Array.from({ length: times }, () => label));
}

function describe(error: unknown): string {
  if (error instanceof StoryFailed) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
