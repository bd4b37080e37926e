import type { Contender } from './contenders.ts';

/** In the order of the table. */
export const WORKS = [
  'notify, accepted',
  'notify, fulfilled',
  'order-created, accepted',
  'order-created, synced',
  'order-created, MySQL away',
  'spool, drained',
  'notices kept, fulfilled',
  'rows turned paid, granted',
  'rows turned paid at 200/s',
  'GET prices/current',
  'boot',
] as const;

export type Work = (typeof WORKS)[number];

/** What each work is held against: the most that this machine could do of it. */
export const LIMIT_OF: Partial<Record<Work, Contender>> = {
  'notify, accepted': 'group insert',
  'order-created, accepted': 'group insert',
  'order-created, MySQL away': 'bare Fastify',
  'GET prices/current': 'bare Fastify',
};

/** One line of the result. What does not apply to it is null. */
export type Measurement = {
  readonly work: Work;
  readonly contender: Contender;
  readonly connections: number | null;
  readonly perSecond: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly non2xx: number | null;
  /** Resident memory of the server process right after the load. */
  readonly residentMb: number | null;
};

export type Line = Measurement & {
  readonly ratioToPeer: number | null;
  readonly ratioToLimit: number | null;
};

const NOTHING = { perSecond: null, p50Ms: null, p99Ms: null, non2xx: null, residentMb: null };

/** A line with what applies to it. */
export function lineOf(
  line: Pick<Measurement, 'work' | 'contender' | 'connections'> & Partial<Measurement>,
): Measurement {
  return { ...NOTHING, ...line };
}

/**
 * The medians of several runs, in the order of the table. Ratios are taken within a run, where both sides had the same
 * machine, and their median is another than the ratio of the medians.
 */
export function mediansOf(runs: readonly (readonly Measurement[])[]): Line[] {
  const lines = runs.flatMap((run) => run.map((each) => withRatios(each, run)));
  const alike = Map.groupBy(lines, keyOf);
  return [...alike.values()].map(medianLine).sort(byTable);
}

function withRatios(each: Measurement, run: readonly Measurement[]): Line {
  const limit = LIMIT_OF[each.work];
  return {
    ...each,
    ratioToPeer: ratio(each, 'textbook peer', run),
    ratioToLimit: limit ? ratio(each, limit, run) : null,
  };
}

function ratio(each: Measurement, to: Contender, run: readonly Measurement[]): number | null {
  const other = run.find(
    ({ work, contender, connections }) =>
      work === each.work &&
      contender === to &&
      // A peer without callers works on connections of its own.
      (connections === each.connections || connections === null),
  );
  return other?.perSecond && each.perSecond ? each.perSecond / other.perSecond : null;
}

function medianLine(lines: readonly Line[]): Line {
  const [first] = lines;
  if (!first) throw new Error('a line was measured');
  const median = (read: (line: Line) => number | null) => medianOf(lines.flatMap((line) => read(line) ?? []));
  return {
    ...first,
    perSecond: median(({ perSecond }) => perSecond),
    p50Ms: median(({ p50Ms }) => p50Ms),
    p99Ms: median(({ p99Ms }) => p99Ms),
    non2xx: median(({ non2xx }) => non2xx),
    residentMb: median(({ residentMb }) => residentMb),
    ratioToPeer: median(({ ratioToPeer }) => ratioToPeer),
    ratioToLimit: median(({ ratioToLimit }) => ratioToLimit),
  };
}

export function medianOf(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [below, above] = [sorted[middle - 1], sorted[middle]];
  if (above === undefined) return null;
  return sorted.length % 2 === 1 || below === undefined ? above : (below + above) / 2;
}

function keyOf({ work, contender, connections }: Measurement): string {
  return [work, contender, connections].join('|');
}

function byTable(a: Line, b: Line): number {
  return WORKS.indexOf(a.work) - WORKS.indexOf(b.work) || (a.connections ?? 0) - (b.connections ?? 0);
}
