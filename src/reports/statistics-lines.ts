import { MoneyTotal } from '../shared/money-total.js';
import type { CountedRow, CreatedRow, SummedRow } from './statistics.repository.js';
import type {
  DailyStatistics,
  StatisticsFigures,
  StatisticsGroup,
  StatisticsKey,
  StatisticsLine,
} from './statistics.types.js';

const NO_FIGURES: StatisticsFigures = {
  createdCount: 0,
  createdPaidCount: 0,
  paidCount: 0,
  paidAmount: MoneyTotal.ZERO,
  refundedCount: 0,
  refundedAmount: MoneyTotal.ZERO,
};

/** Adds the rows of the database up by what was asked for; whatever the grouping, the total is the same. */
export class StatisticsLines {
  private readonly lines = new Map<string, StatisticsLine>();

  constructor(private readonly groups: readonly StatisticsGroup[]) {}

  addPaid(rows: readonly SummedRow[]): void {
    for (const row of rows) {
      this.add(row, { paidCount: Number(row.count), paidAmount: MoneyTotal.ofFen(row.fen) });
    }
  }

  addRefunded(rows: readonly SummedRow[]): void {
    for (const row of rows) {
      this.add(row, { refundedCount: Number(row.count), refundedAmount: MoneyTotal.ofFen(row.fen) });
    }
  }

  addCreated(rows: readonly CreatedRow[]): void {
    for (const row of rows) {
      this.add(row, { createdCount: Number(row.count), createdPaidCount: Number(row.paid_count) });
    }
  }

  /** A day on which nothing happened is a line all the same: a chart has no holes. */
  addDay(day: string): void {
    if (this.groups.length === 1 && this.groups[0] === 'day') {
      this.add({ day, package_type: null, trade_type: null, count: '0' }, {});
    }
  }

  result(): DailyStatistics {
    const lines = [...this.lines.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, line]) => line);
    const total = lines.reduce<StatisticsFigures>((sum, line) => plus(sum, line), NO_FIGURES);
    return { lines, total };
  }

  private add(row: CountedRow, figures: Partial<StatisticsFigures>): void {
    const key: StatisticsKey = {
      day: this.groups.includes('day') ? row.day : null,
      packageType: this.groups.includes('package') ? (row.package_type ?? '') : null,
      tradeType: this.groups.includes('tradeType') ? (row.trade_type ?? '') : null,
    };
    const id = JSON.stringify([key.day, key.packageType, key.tradeType]);
    const known = this.lines.get(id) ?? { ...key, ...NO_FIGURES };
    this.lines.set(id, { ...key, ...plus(known, { ...NO_FIGURES, ...figures }) });
  }
}

function plus(a: StatisticsFigures, b: StatisticsFigures): StatisticsFigures {
  return {
    createdCount: a.createdCount + b.createdCount,
    createdPaidCount: a.createdPaidCount + b.createdPaidCount,
    paidCount: a.paidCount + b.paidCount,
    paidAmount: a.paidAmount.plus(b.paidAmount),
    refundedCount: a.refundedCount + b.refundedCount,
    refundedAmount: a.refundedAmount.plus(b.refundedAmount),
  };
}
