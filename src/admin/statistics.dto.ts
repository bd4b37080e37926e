import { ApiProperty } from '@nestjs/swagger';
import { TextField } from '../platform/http/fields.js';
import type { MoneyTotal } from '../shared/money-total.js';
import { STATISTICS_GROUPS } from '../reports/statistics.types.js';
import type {
  DailyStatistics,
  StatisticsFigures,
  StatisticsGroup,
  StatisticsLine,
} from '../reports/statistics.types.js';

const DAY_PATTERN = /^\d{4}-\d\d-\d\d$/;
const A_DAY = 'a day like 2026-01-27';
const GROUP = `(${STATISTICS_GROUPS.join('|')})`;

export class StatisticsQuery {
  @TextField({
    about: 'The first day, of Shanghai.',
    lengthMax: 10,
    pattern: DAY_PATTERN,
    form: A_DAY,
    example: '2026-01-01',
  })
  from!: string;

  @TextField({
    about: 'The last day, of Shanghai, included; at most 366 days in all.',
    lengthMax: 10,
    pattern: DAY_PATTERN,
    form: A_DAY,
    example: '2026-01-31',
  })
  to!: string;

  @TextField({
    about: 'What a line stands for: any of day, package and tradeType, with commas between.',
    lengthMax: 40,
    pattern: new RegExp(`^${GROUP}(,${GROUP})*$`),
    form: `one or more of ${STATISTICS_GROUPS.join(', ')}, with commas between`,
    example: 'day,package',
    fallback: 'day',
    optional: true,
  })
  groupBy: string = 'day';
}

export function groupsOf({ groupBy }: StatisticsQuery): StatisticsGroup[] {
  return STATISTICS_GROUPS.filter((group) => groupBy.split(',').includes(group));
}

export class StatisticsFiguresView {
  @ApiProperty({ description: 'Orders made in this time.', example: 12 })
  createdCount!: number;

  @ApiProperty({ description: 'How many of these are paid by now.', example: 9 })
  createdPaidCount!: number;

  @ApiProperty({
    type: String,
    nullable: true,
    description: 'createdPaidCount of createdCount in percent, cut after two decimals; null without orders.',
    example: '75.00',
  })
  conversionPercent!: string | null;

  @ApiProperty({ description: 'Orders paid in this time, whenever they were made.', example: 10 })
  paidCount!: number;

  @ApiProperty({
    description: 'Whole fen as text: a sum may exceed what a JSON number holds.',
    example: '29900',
  })
  paidFen!: string;

  @ApiProperty({ example: '299.00' })
  paidAmount!: string;

  @ApiProperty({ description: 'Refunds that arrived in this time.', example: 1 })
  refundedCount!: number;

  @ApiProperty({ example: '2990' })
  refundedFen!: string;

  @ApiProperty({ example: '29.90' })
  refundedAmount!: string;

  @ApiProperty({ description: 'Paid less refunded.', example: '26910' })
  netFen!: string;

  @ApiProperty({ example: '269.10' })
  netAmount!: string;
}

export class StatisticsLineView extends StatisticsFiguresView {
  @ApiProperty({ type: String, nullable: true, description: 'A day of Shanghai.', example: '2026-01-27' })
  day!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'premium' })
  packageType!: string | null;

  @ApiProperty({ type: String, nullable: true, example: 'JSAPI' })
  tradeType!: string | null;
}

export class StatisticsView {
  @ApiProperty({ example: 'Asia/Shanghai' })
  timeZone!: 'Asia/Shanghai';

  @ApiProperty({ type: [StatisticsLineView] })
  lines!: StatisticsLineView[];

  @ApiProperty({ type: StatisticsFiguresView })
  total!: StatisticsFiguresView;
}

export function toStatisticsView({ lines, total }: DailyStatistics): StatisticsView {
  return { timeZone: 'Asia/Shanghai', lines: lines.map(toLineView), total: toFiguresView(total) };
}

function toLineView(line: StatisticsLine): StatisticsLineView {
  const { day, packageType, tradeType } = line;
  return { day, packageType, tradeType, ...toFiguresView(line) };
}

function toFiguresView(figures: StatisticsFigures): StatisticsFiguresView {
  const { createdCount, createdPaidCount, paidCount, paidAmount, refundedCount, refundedAmount } = figures;
  const net = paidAmount.minus(refundedAmount);
  return {
    createdCount,
    createdPaidCount,
    conversionPercent: percent(createdPaidCount, createdCount),
    paidCount,
    paidFen: fenText(paidAmount),
    paidAmount: paidAmount.toYuan(),
    refundedCount,
    refundedFen: fenText(refundedAmount),
    refundedAmount: refundedAmount.toYuan(),
    netFen: fenText(net),
    netAmount: net.toYuan(),
  };
}

function fenText({ fen }: MoneyTotal): string {
  return String(fen);
}

function percent(part: number, whole: number): string | null {
  if (whole === 0) return null;
  const digits = String(Math.floor((part * 10_000) / whole)).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}
