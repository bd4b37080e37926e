import { LOOPBACK, Trouble } from './library.ts';
import type { ScaleSeed } from './scale-seed.ts';
import { BUSY_USER } from './scale-orders.ts';

/** A listing from its first page on, and from a deep one on. */
export type ListCost = {
  readonly listing: string;
  /** How many orders of the table are newer than the deep pages. */
  readonly deepAfter: number;
  readonly firstP50Ms: number;
  readonly deepP50Ms: number;
  readonly firstP99Ms: number;
  readonly deepP99Ms: number;
};

export type StatisticsCost = { readonly range: string; readonly days: number; readonly seconds: number };

export type AdminApi = { readonly port: number; readonly token: string };

type Listing = {
  readonly name: string;
  readonly filter: Readonly<Record<string, string>>;
  /** The filter that narrows the listing by the time it is ordered by; without one the deep page is walked to. */
  readonly until: 'createdTo' | 'paidTo' | null;
};
type Page = { readonly data: unknown[]; readonly nextCursor: string | null };

const REQUESTS = 200;
/** So many consecutive pages are read, as an operator who scrolls does, and then those again. */
const PAGES = 50;
const WALK_LIMIT = 200;
const DEEP_SHARE = 0.8;
const DAY_MS = 86_400_000;
const STATISTICS_RUNS = 3;

function listingsOf(seed: ScaleSeed): Listing[] {
  const from = seed.createdAt(0).toISOString();
  return [
    { name: 'all', filter: {}, until: 'createdTo' },
    { name: 'status=paid', filter: { status: 'paid' }, until: 'createdTo' },
    { name: 'status=refunded', filter: { status: 'refunded' }, until: 'createdTo' },
    { name: 'a user of 1 %', filter: { userId: BUSY_USER }, until: 'createdTo' },
    { name: 'made since', filter: { createdFrom: from }, until: 'createdTo' },
    { name: 'paid since', filter: { paidFrom: from }, until: 'paidTo' },
    { name: 'package=premium', filter: { packageType: 'premium' }, until: 'createdTo' },
    { name: 'amount ≥ 29.90', filter: { amountMin: '29.90' }, until: 'createdTo' },
    { name: 'amount of none', filter: { amountMin: '100.00' }, until: 'createdTo' },
    { name: 'held', filter: { held: 'true' }, until: null },
  ];
}

/** Measures every listing at its first pages and at deep ones, one request of each in turn, so that both have the same noise. */
export async function measureLists(
  api: AdminApi,
  seed: ScaleSeed,
  orders: number,
  onCost: (cost: ListCost) => void,
): Promise<ListCost[]> {
  const deepAfter = Math.floor(orders * DEEP_SHARE);
  const costs: ListCost[] = [];
  for (const listing of listingsOf(seed)) {
    const deep = await findDeepCursor(api, listing, seed.createdAt(orders - deepAfter));
    const walks = [new Walk(api, listing.filter, null), new Walk(api, listing.filter, deep.cursor)] as const;
    for (let request = 0; request < REQUESTS; request += 1) {
      for (const walk of walks) await walk.next();
    }
    const [first, deeper] = walks;
    const cost = {
      listing: listing.name,
      deepAfter: deep.after ?? deepAfter,
      firstP50Ms: first.quantile(0.5),
      deepP50Ms: deeper.quantile(0.5),
      firstP99Ms: first.quantile(0.99),
      deepP99Ms: deeper.quantile(0.99),
    };
    costs.push(cost);
    onCost(cost);
  }
  return costs;
}

export async function measureStatistics(api: AdminApi, seed: ScaleSeed): Promise<StatisticsCost[]> {
  const costs: StatisticsCost[] = [];
  const oldestMs = seed.createdAt(0).getTime();
  for (const [range, days] of [
    ['a month', 30],
    ['a year', 365],
  ] as const) {
    const day = (ms: number) => new Date(ms).toISOString().slice(0, 10);
    const query = new URLSearchParams({ from: day(oldestMs), to: day(oldestMs + (days - 1) * DAY_MS) });
    const timesMs: number[] = [];
    for (let run = 0; run < STATISTICS_RUNS; run += 1) {
      const startedMs = performance.now();
      await get(api, `statistics/daily?${query.toString()}`);
      timesMs.push(performance.now() - startedMs);
    }
    costs.push({ range, days, seconds: quantileOf(timesMs, 0.5) / 1_000 });
  }
  return costs;
}

/**
 * The cursor that a client has who came there page by page: a position is a time and an id. The last one before the deep page
 * is asked for by a listing that ends there, which is the same listing narrowed by its own time.
 */
async function findDeepCursor(
  api: AdminApi,
  { name, filter, until }: Listing,
  deepAt: Date,
): Promise<{ cursor: string; after: number | null }> {
  if (until !== null) {
    const page = await getPage(api, { ...filter, [until]: deepAt.toISOString(), limit: '1' });
    if (page.nextCursor === null) throw new Trouble(`The listing ${name} has no deep page.`);
    return { cursor: page.nextCursor, after: null };
  }
  const places: string[] = [];
  let cursor: string | null = null;
  do {
    const page: Page = await getPage(api, {
      ...filter,
      limit: String(WALK_LIMIT),
      ...(cursor !== null && { cursor }),
    });
    cursor = page.nextCursor;
    if (cursor !== null) places.push(cursor);
  } while (cursor !== null);
  const at = Math.floor(places.length / 2);
  const middle = places[at];
  if (middle === undefined) throw new Trouble(`The listing ${name} has no deep page: take more orders.`);
  return { cursor: middle, after: (at + 1) * WALK_LIMIT };
}

/** Reads a listing page by page from a place on, and begins there again after some pages. */
class Walk {
  private readonly timesMs: number[] = [];
  private readonly api: AdminApi;
  private readonly filter: Listing['filter'];
  private readonly start: string | null;
  private cursor: string | null;
  private page = 0;

  constructor(api: AdminApi, filter: Listing['filter'], start: string | null) {
    this.api = api;
    this.filter = filter;
    this.start = start;
    this.cursor = start;
  }

  async next(): Promise<void> {
    const query = { ...this.filter, ...(this.cursor !== null && { cursor: this.cursor }) };
    const startedMs = performance.now();
    const { nextCursor } = await getPage(this.api, query);
    this.timesMs.push(performance.now() - startedMs);
    this.page = (this.page + 1) % PAGES;
    this.cursor = this.page === 0 || nextCursor === null ? this.start : nextCursor;
  }

  quantile(share: number): number {
    return quantileOf(this.timesMs, share);
  }
}

async function getPage(api: AdminApi, query: Record<string, string>): Promise<Page> {
  return (await get(api, `orders?${new URLSearchParams(query).toString()}`)) as Page;
}

/** @throws {Trouble} when the answer is not 200 */
async function get({ port, token }: AdminApi, path: string): Promise<unknown> {
  const answer = await fetch(`http://${LOOPBACK}:${port}/api/admin/${path}`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  const body: unknown = await answer.json();
  if (answer.ok) return body;
  throw new Trouble(`GET ${path.split('?')[0]} answered ${answer.status}: ${JSON.stringify(body)}`);
}

function quantileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
