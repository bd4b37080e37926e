import { performance } from 'node:perf_hooks';
import { INTERNAL_SECRET } from './contenders.ts';
import type { Contender } from './contenders.ts';
import type { DurableServer } from './database.ts';
import { say } from './library.ts';
import { applyLoad } from './load.ts';
import type { LoadOutcome, Target } from './load.ts';
import type { Measurement, Work } from './measurement.ts';
import { describe } from './report.ts';
import type { ServerProcess } from './server-process.ts';

export const WARM_UP_SECONDS = 2;
/** Of the orders: what is warmed up with must be granted before the measurement begins. */
const WARM_UP_SHARE = 1 / 16;

export type Job = {
  readonly work: Work;
  readonly contender: Contender;
  readonly connections: number;
  readonly server: ServerProcess;
  readonly target: Omit<Target, 'secret'>;
  /** The numbers of the requests, when each must have an order of its own; all are free otherwise. */
  readonly orders?: { readonly firstIndex: number; readonly count: number };
  /** What must have ended before the load after the warm-up begins. */
  readonly afterWarmUp?: () => Promise<unknown>;
};

export type Measured = LoadOutcome & { readonly warmUpAcknowledged: readonly number[] };

/** One run: where it measures, and what it has found so far. */
export class Lab {
  /** What each run measured. */
  readonly runs: Measurement[][] = [];
  readonly errors: string[] = [];
  readonly workDir: string;
  readonly database: DurableServer;
  readonly seconds: number;
  private readonly startedMs = performance.now();

  constructor(setting: { workDir: string; database: DurableServer; seconds: number }) {
    this.workDir = setting.workDir;
    this.database = setting.database;
    this.seconds = setting.seconds;
  }

  /** Says what is done now, with the minutes since the start. */
  step(text: string): void {
    const seconds = Math.round((performance.now() - this.startedMs) / 1000);
    const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    say(`[${clock}] ${text}`);
  }

  beginRun(): void {
    this.runs.push([]);
  }

  record(measurement: Measurement): void {
    this.runs.at(-1)?.push(measurement);
    say(`    ${describe(measurement)}`);
  }

  reportError(about: Pick<Measurement, 'work' | 'contender' | 'connections'>, problem: string): void {
    const error = `${about.work}, ${about.contender}, ${about.connections} connections: ${problem}`;
    this.errors.push(error);
    say(`    ERROR: ${problem}`);
  }

  /** Warms a server up, measures it, and reports what went wrong on the way. */
  async measure(job: Job): Promise<Measured> {
    const { work, contender, connections, server, orders } = job;
    this.step(`${work}: ${contender}, ${connections} connections`);
    const target = { ...job.target, secret: INTERNAL_SECRET };
    const load = { port: server.port, connections };
    const firstIndex = orders?.firstIndex ?? 0;
    const warmUp = await applyLoad(target, {
      ...load,
      seconds: WARM_UP_SECONDS,
      firstIndex,
      requestsMax: orders && Math.floor(orders.count * WARM_UP_SHARE),
    });
    await job.afterWarmUp?.();
    const outcome = await applyLoad(target, {
      ...load,
      seconds: this.seconds,
      firstIndex: warmUp.nextIndex,
      requestsMax: orders && firstIndex + orders.count - warmUp.nextIndex,
    });
    this.record({
      work,
      contender,
      connections,
      perSecond: outcome.perSecond,
      p50Ms: outcome.p50Ms,
      p99Ms: outcome.p99Ms,
      non2xx: warmUp.non2xx + outcome.non2xx,
      residentMb: server.residentMb() ?? null,
    });
    this.reportFailures(job, warmUp, outcome);
    if (orders && outcome.nextIndex >= firstIndex + orders.count) {
      say(
        `    (all ${orders.count} orders were used up after ${Math.round(outcome.elapsedMs / 100) / 10} s)`,
      );
    }
    return { ...outcome, warmUpAcknowledged: warmUp.acknowledged };
  }

  private reportFailures(job: Job, ...outcomes: LoadOutcome[]): void {
    const sum = (read: (outcome: LoadOutcome) => number) => outcomes.reduce((n, each) => n + read(each), 0);
    const non2xx = sum((outcome) => outcome.non2xx);
    const wrongBodies = sum((outcome) => outcome.wrongBodies);
    const failed = sum((outcome) => outcome.failedConnections);
    if (non2xx > 0) this.reportError(job, `${non2xx} answers were not 2xx`);
    if (wrongBodies > 0) this.reportError(job, `${wrongBodies} answers had another body`);
    if (failed > 0) this.reportError(job, `${failed} requests failed or were not answered in time`);
  }
}
