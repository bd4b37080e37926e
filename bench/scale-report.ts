import type { ListCost, StatisticsCost } from './scale-lists.ts';
import type { TickGrowth } from './tick-process.ts';
import { alignTable } from './report.ts';

const LIST_RATIO_MAX = 1.5;
const TICK_RATIO_MAX = 1.2;
const TICK_MS_MAX = 5;

const two = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const one = new Intl.NumberFormat('en', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function listsTable(costs: readonly ListCost[]): string {
  const cells = costs.map((cost) => {
    const ratio = cost.deepP50Ms / cost.firstP50Ms;
    return [
      cost.listing,
      whole.format(cost.deepAfter),
      two.format(cost.firstP50Ms),
      two.format(cost.deepP50Ms),
      two.format(cost.firstP99Ms),
      two.format(cost.deepP99Ms),
      two.format(ratio),
      `≤ ${LIST_RATIO_MAX}`,
      verdict(ratio <= LIST_RATIO_MAX),
    ];
  });
  const headings = [
    'orders',
    'deep after',
    'first p50 ms',
    'deep p50 ms',
    'first p99 ms',
    'deep p99 ms',
    '×',
  ];
  return alignTable([[...headings, 'target', ''], ...cells], 1);
}

export function ticksTable(growths: readonly TickGrowth[], sizes: { few: number; all: number }): string {
  const cells = growths.map(({ job, everyMs, few, all }) => {
    const ratio = all.p50Ms / few.p50Ms;
    return [
      job,
      whole.format(everyMs),
      one.format(all.statements),
      one.format(few.rowsRead),
      one.format(all.rowsRead),
      two.format(few.p50Ms),
      two.format(all.p50Ms),
      two.format(all.minMs),
      two.format(all.p99Ms),
      two.format(ratio),
      `≤ ${TICK_RATIO_MAX}, ≤ ${TICK_MS_MAX} ms`,
      verdict(ratio <= TICK_RATIO_MAX && all.p50Ms <= TICK_MS_MAX),
    ];
  });
  const at = (count: number) => whole.format(count);
  const headings = [
    'job',
    'every ms',
    'statements',
    `rows read at ${at(sizes.few)}`,
    `at ${at(sizes.all)}`,
    `p50 ms at ${at(sizes.few)}`,
    `at ${at(sizes.all)}`,
    'fastest ms',
    'p99 ms',
    '×',
    'target',
    '',
  ];
  return alignTable([headings, ...cells], 1);
}

export function statisticsTable(costs: readonly StatisticsCost[]): string {
  const cells = costs.map(({ range, days, seconds }) => [range, String(days), two.format(seconds)]);
  return alignTable([['statistics of', 'days', 'seconds'], ...cells], 1);
}

function verdict(isMet: boolean): string {
  return isMet ? 'met' : 'MISSED';
}
