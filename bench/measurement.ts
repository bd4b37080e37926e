import type { Contender } from './contenders.ts';

/** In the order of the table. */
export const WORKS = [
  'notify, accepted',
  'notify, fulfilled',
  'order-created, MySQL away',
  'GET prices/current',
] as const;

export type Work = (typeof WORKS)[number];

/** One line of the result. What does not apply to it is null. */
export type Measurement = {
  readonly work: Work;
  readonly contender: Contender;
  readonly connections: number;
  readonly perSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly non2xx: number | null;
  /** Resident memory of the server process right after the load. */
  readonly residentMb: number | null;
};
