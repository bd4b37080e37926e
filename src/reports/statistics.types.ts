import type { MoneyTotal } from '../shared/money-total.js';

export const STATISTICS_GROUPS = ['day', 'package', 'tradeType'] as const;
export type StatisticsGroup = (typeof STATISTICS_GROUPS)[number];

/** What a line stands for; null in the parts that were not asked for. */
export type StatisticsKey = {
  readonly day: string | null;
  readonly packageType: string | null;
  readonly tradeType: string | null;
};

export type StatisticsFigures = {
  /** Orders made in the time, and how many of just these are paid by now. */
  readonly createdCount: number;
  readonly createdPaidCount: number;
  /** By the time of payment. */
  readonly paidCount: number;
  readonly paidAmount: MoneyTotal;
  /** By the time at which the money arrived at the customer. */
  readonly refundedCount: number;
  readonly refundedAmount: MoneyTotal;
};

export type StatisticsLine = StatisticsKey & StatisticsFigures;

export type DailyStatistics = {
  readonly lines: readonly StatisticsLine[];
  readonly total: StatisticsFigures;
};
