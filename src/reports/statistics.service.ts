import { Injectable } from '@nestjs/common';
import { SnapshotReader } from '../platform/database/snapshot-reader.js';
import { DomainError } from '../shared/domain-error.js';
import { DAY_MS, shanghaiDay, startOfShanghaiDay } from '../shared/shanghai-time.js';
import { StatisticsLines } from './statistics-lines.js';
import { StatisticsRepository } from './statistics.repository.js';
import type { DailyStatistics, StatisticsGroup } from './statistics.types.js';

const DAYS_MAX = 366;
/** A statement looks at so many days: a year of a busy shop in one would take as long as a server that hangs. */
const DAYS_PER_STATEMENT = 31;

/** What was made, paid and refunded on each day of Shanghai, from one moment of the tables. */
@Injectable()
export class StatisticsService {
  constructor(
    private readonly snapshots: SnapshotReader,
    private readonly statistics: StatisticsRepository,
  ) {}

  /** @param asked the first and the last day, both included */
  async daily(asked: {
    readonly from: string;
    readonly to: string;
    readonly groupBy: readonly StatisticsGroup[];
  }): Promise<DailyStatistics> {
    const from = startOf('from', asked.from);
    const to = new Date(startOf('to', asked.to).getTime() + DAY_MS);
    checkRange(from, to);
    const lines = new StatisticsLines(asked.groupBy);
    for (let at = from.getTime(); at < to.getTime(); at += DAY_MS) lines.addDay(shanghaiDay(new Date(at)));
    const snapshot = await this.snapshots.begin('statistics');
    try {
      for (let at = from.getTime(); at < to.getTime(); at += DAYS_PER_STATEMENT * DAY_MS) {
        const end = Math.min(at + DAYS_PER_STATEMENT * DAY_MS, to.getTime());
        const slice = { from: new Date(at), to: new Date(end) };
        lines.addPaid(await this.statistics.sumPaid(snapshot, slice));
        lines.addRefunded(await this.statistics.sumRefunded(snapshot, slice));
        lines.addCreated(await this.statistics.countCreated(snapshot, slice));
      }
    } finally {
      snapshot.close();
    }
    return lines.result();
  }
}

function startOf(name: string, day: string): Date {
  const start = startOfShanghaiDay(day);
  if (!start) {
    throw new DomainError('invalid_request', 'invalid', `${name} must be a day, for example 2026-01-27`);
  }
  return start;
}

function checkRange(from: Date, to: Date): void {
  if (from >= to) throw new DomainError('invalid_request', 'invalid', 'to must not be before from');
  if (to.getTime() - from.getTime() > DAYS_MAX * DAY_MS) {
    throw new DomainError('invalid_request', 'invalid', `from and to may span at most ${DAYS_MAX} days`);
  }
}
