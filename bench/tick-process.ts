import { setTimeout as sleep } from 'node:timers/promises';
import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createConnection } from 'mysql2/promise';
import type { AppModule } from '../src/app.module.js';
import type { DatabaseAvailability } from '../src/platform/database/database-availability.js';
import type { Job, JobRunner } from '../src/platform/jobs/job-runner.js';
import type { JobLeasesRepository } from '../src/platform/jobs/job-leases.repository.js';
import { rows } from './database.ts';

/*
 * A process of `bench:scale`: the built backend without HTTP, once on each of two databases, its jobs kept instead of started.
 * Each job is then run by itself, again and again, as its runner would run it: with its lease and in all of its lanes. The two
 * databases take turns, tick by tick, so that whatever else the machine does is in both. Tells its parent what it took.
 */

export type TickCost = {
  /** The fastest: what is left of the time when other work of the machine is out of the way. */
  readonly minMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** By the server's own counters, for one tick. */
  readonly statements: number;
  readonly rowsRead: number;
};
export type TickGrowth = {
  readonly job: string;
  readonly everyMs: number;
  readonly few: TickCost;
  readonly all: TickCost;
};
/** Of each of the two databases, beside what the environment says of both. */
export type TickTarget = { readonly DB_NAME: string; readonly SPOOL_DIR: string };

type Backend = {
  readonly app: INestApplicationContext;
  readonly jobs: readonly Job[];
  readonly leases: JobLeasesRepository;
};
type Counters = { readonly statements: number; readonly rowsRead: number };

const WARM_UP_TICKS = 20;
const COUNTED_TICKS = 20;
const TIMED_TICKS = 100;
const READY_WITHIN_MS = 60_000;
const LEASE_TTL_MS = 10_000;
const OWNER = 'bench';

type Dist = {
  AppModule: typeof AppModule;
  JobRunner: typeof JobRunner;
  JobLeasesRepository: typeof JobLeasesRepository;
  DatabaseAvailability: typeof DatabaseAvailability;
};

const dist = await loadBuild();
const [ofFew, ofAll] = JSON.parse(process.env.TICK_TARGETS ?? '') as [TickTarget, TickTarget];
const few = await openBackend(ofFew);
const all = await openBackend(ofAll);
const counting = await createConnection({
  host: process.env.DB_HOST,
  port: Number(process.env.DB_PORT),
  user: process.env.DB_USER,
  password: process.env.DB_PASSWORD,
});
const growths: TickGrowth[] = [];
for (const job of few.jobs) growths.push(await measure(job.name));
process.send?.(growths);
await counting.end();
await few.app.close();
await all.app.close();
process.disconnect();

async function openBackend(target: TickTarget): Promise<Backend> {
  const jobs: Job[] = [];
  Object.assign(process.env, target);
  dist.JobRunner.prototype.register = (job) => void jobs.push(job);
  const app = await NestFactory.createApplicationContext(dist.AppModule, {
    logger: false,
    abortOnError: false,
  });
  const availability = app.get(dist.DatabaseAvailability, { strict: false });
  const deadlineMs = performance.now() + READY_WITHIN_MS;
  while (!availability.isAvailable) {
    if (performance.now() > deadlineMs) throw new Error(`the backend did not reach ${target.DB_NAME}`);
    await sleep(50);
  }
  return { app, jobs, leases: app.get(dist.JobLeasesRepository, { strict: false }) };
}

async function measure(name: string): Promise<TickGrowth> {
  for (const backend of [few, all]) await runTicks(backend, name, WARM_UP_TICKS);
  const counters = { few: await countersOf(few, name), all: await countersOf(all, name) };
  const timesMs: { few: number[]; all: number[] } = { few: [], all: [] };
  for (let tick = 0; tick < TIMED_TICKS; tick += 1) {
    timesMs.few.push(await runTicks(few, name, 1));
    timesMs.all.push(await runTicks(all, name, 1));
  }
  return {
    job: name,
    everyMs: jobOf(few, name).everyMs,
    few: { ...counters.few, ...quantilesOf(timesMs.few) },
    all: { ...counters.all, ...quantilesOf(timesMs.all) },
  };
}

/** @returns the milliseconds of all of them */
async function runTicks(backend: Backend, name: string, ticks: number): Promise<number> {
  const job = jobOf(backend, name);
  const startedMs = performance.now();
  for (let tick = 0; tick < ticks; tick += 1) {
    await Promise.all(Array.from({ length: job.lanes ?? 1 }, () => runLane(backend.leases, job)));
  }
  return performance.now() - startedMs;
}

async function runLane(leases: JobLeasesRepository, job: Job): Promise<void> {
  const lease = job.scope === 'cluster' ? await leases.claim(job.name, OWNER, LEASE_TTL_MS) : null;
  if (job.scope === 'cluster' && !lease) throw new Error(`${job.name}: another process has the lease`);
  await job.run({ lease, stopping: new AbortController().signal });
}

/** What the whole server did for one tick: nothing else uses it, but for the pings of the two backends. */
async function countersOf(backend: Backend, name: string): Promise<Counters> {
  const before = await readCounters();
  const between = await readCounters();
  await runTicks(backend, name, COUNTED_TICKS);
  const after = await readCounters();
  const perTick = (of: keyof Counters) => (after[of] - 2 * between[of] + before[of]) / COUNTED_TICKS;
  return { statements: perTick('statements'), rowsRead: perTick('rowsRead') };
}

async function readCounters(): Promise<Counters> {
  const found = await rows<{ Variable_name: string; Value: string }>(
    counting,
    "SHOW GLOBAL STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Questions'",
  );
  const sum = (isMeant: (name: string) => boolean) =>
    found.filter((row) => isMeant(row.Variable_name)).reduce((total, row) => total + Number(row.Value), 0);
  return {
    statements: sum((name) => name === 'Questions'),
    rowsRead: sum((name) => name !== 'Questions'),
  };
}

function jobOf({ jobs }: Backend, name: string): Job {
  const job = jobs.find((one) => one.name === name);
  if (!job) throw new Error(`there is no job ${name}`);
  return job;
}

function quantilesOf(timesMs: readonly number[]): Pick<TickCost, 'minMs' | 'p50Ms' | 'p99Ms'> {
  const sorted = [...timesMs].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
  return { minMs: at(0), p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function loadBuild(): Promise<Dist> {
  const load = (file: string): Promise<unknown> =>
    import(new URL(`../dist/src/${file}`, import.meta.url).href);
  const files = [
    'app.module.js',
    'platform/jobs/job-runner.js',
    'platform/jobs/job-leases.repository.js',
    'platform/database/database-availability.js',
  ];
  return Object.assign({}, ...(await Promise.all(files.map(load)))) as Dist;
}
