import { performance } from 'node:perf_hooks';
import autocannon from 'autocannon';
import { LOOPBACK, say } from './library.ts';

export type Target = {
  readonly path: string;
  readonly secret: string;
  /** The body of the request with this number; a GET has none. */
  readonly bodyAt?: (index: number) => string;
};

export type Load = {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
  /** Requests are numbered from here on, and no number is used twice. */
  readonly firstIndex: number;
  /** Ends the load early when so many requests were made: there are no more orders to tell about. */
  readonly requestsMax?: number;
};

export type LoadOutcome = {
  readonly startedAtMs: number;
  readonly elapsedMs: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly non2xx: number;
  /** Answers with 200 whose body is not that of the contract. */
  readonly wrongBodies: number;
  /** Connections that failed or waited longer than 10 s for an answer. */
  readonly failedConnections: number;
  /** The numbers of the requests that were answered well. */
  readonly acknowledged: readonly number[];
  /** The first number that was not used. */
  readonly nextIndex: number;
};

type Slot = { index?: number };

const PROGRESS_EVERY_MS = 5_000;
const WHOLE = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A closed loop: each connection sends its next request when the last one was answered. */
export async function applyLoad(target: Target, load: Load): Promise<LoadOutcome> {
  const tally = { next: load.firstIndex, wrongBodies: 0, lastAnswerMs: 0 };
  const latenciesMs: number[] = [];
  const acknowledged: number[] = [];
  const { bodyAt } = target;
  const startedAtMs = performance.now();
  const onResponse = (status: number, body: string, context: object): void => {
    if (status < 200 || status > 299) return;
    if (!body.includes('"success":true')) tally.wrongBodies += 1;
    else if (bodyAt) acknowledged.push((context as Slot).index ?? Number.NaN);
  };
  const result = await run(
    {
      url: `http://${LOOPBACK}:${load.port}`,
      connections: load.connections,
      duration: load.seconds,
      ...(load.requestsMax === undefined ? {} : { maxOverallRequests: load.requestsMax }),
      requests: [
        {
          method: bodyAt ? 'POST' : 'GET',
          path: target.path,
          headers: { 'content-type': 'application/json', 'x-internal-secret': target.secret },
          onResponse,
          ...(bodyAt && {
            setupRequest: (request: autocannon.Request, context: Slot) => {
              context.index = tally.next;
              tally.next += 1;
              request.body = bodyAt(context.index);
              return request;
            },
          }),
        },
      ],
    },
    (responseTimeMs) => {
      tally.lastAnswerMs = performance.now();
      latenciesMs.push(responseTimeMs);
    },
  );
  const elapsedMs = Math.max(1, tally.lastAnswerMs - startedAtMs);
  const sortedMs = Float64Array.from(latenciesMs).sort();
  return {
    startedAtMs,
    elapsedMs,
    perSecond: ((result['2xx'] - tally.wrongBodies) / elapsedMs) * 1000,
    p50Ms: quantile(sortedMs, 0.5),
    p99Ms: quantile(sortedMs, 0.99),
    non2xx: result.non2xx,
    wrongBodies: tally.wrongBodies,
    failedConnections: result.errors,
    acknowledged,
    nextIndex: tally.next,
  };
}

/** autocannon keeps whole milliseconds only; its events have the fractions that a fast server is about. */
function run(
  options: autocannon.Options,
  onAnswer: (responseTimeMs: number) => void,
): Promise<autocannon.Result> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    let answers = 0;
    const ticker = setInterval(() => {
      const seconds = Math.round((performance.now() - startedMs) / 1000);
      say(`    … ${seconds} s, ${WHOLE.format(answers)} answers`);
    }, PROGRESS_EVERY_MS);
    const instance = autocannon(options, (error: Error | null, result) => {
      clearInterval(ticker);
      if (error) reject(error);
      else resolve(result);
    });
    instance.on('response', (_client, _status, _bytes, responseTimeMs) => {
      answers += 1;
      onAnswer(responseTimeMs);
    });
  });
}

function quantile(sorted: Float64Array, share: number): number {
  const rank = Math.ceil(sorted.length * share);
  return sorted[Math.max(0, rank - 1)] ?? Number.NaN;
}
