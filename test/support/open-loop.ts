import { Agent, request } from 'node:http';

const TICK_MS = 10;
/** What is tested is that an answer comes; how soon is printed, because the machine of the tests may be a busy one. */
const ANSWER_WITHIN_MS = 20_000;

export type Call = {
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

/** `status` is 0 when no answer came. */
export type Outcome = { readonly status: number; readonly durationMs: number; readonly retryAfter?: string };

/** A client with as many connections as it needs, like the many instances of cloud functions. */
export class Caller {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly url: string;
  private readonly answerWithinMs: number;

  constructor(url: string, answerWithinMs = ANSWER_WITHIN_MS) {
    this.url = url;
    this.answerWithinMs = answerWithinMs;
  }

  send({ method = 'GET', path, headers = {}, body }: Call): Promise<Outcome> {
    const startedMs = performance.now();
    const text = body === undefined ? '' : JSON.stringify(body);
    const typed = body === undefined ? {} : { 'Content-Type': 'application/json' };
    return new Promise((resolve) => {
      const done = (status: number, retryAfter?: string) =>
        resolve({ status, retryAfter, durationMs: performance.now() - startedMs });
      const sending = request(
        this.url + path,
        { method, agent: this.agent, headers: { ...typed, ...headers }, timeout: this.answerWithinMs },
        (response) => {
          response.on('error', () => done(0)).resume();
          response.on('end', () => done(response.statusCode ?? 0, response.headers['retry-after']));
        },
      );
      sending.on('timeout', () => sending.destroy());
      sending.on('error', () => done(0));
      sending.end(text);
    });
  }

  close(): void {
    this.agent.destroy();
  }
}

/**
 * Sends at a fixed rate whatever the answers are: unlike a fixed number of clients it does not go slower because the
 * other side is slow.
 */
export async function offer(
  load: { readonly perSecond: number; readonly seconds: number },
  send: (index: number) => Promise<Outcome>,
): Promise<Outcome[]> {
  const total = Math.round(load.perSecond * load.seconds);
  const sent: Promise<Outcome>[] = [];
  const startedMs = performance.now();
  while (sent.length < total) {
    const due = ((performance.now() - startedMs) / 1_000) * load.perSecond;
    while (sent.length < Math.min(due, total)) sent.push(send(sent.length));
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  return Promise.all(sent);
}

export function countBy(outcomes: readonly Outcome[]): Record<number, number> {
  const counts: Record<number, number> = {};
  for (const { status } of outcomes) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

/** Milliseconds that 99 of 100 did not exceed; 0 of none. */
export function p99Ms(outcomes: readonly Outcome[]): number {
  const durations = outcomes.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return Math.round(durations[Math.ceil(durations.length * 0.99) - 1] ?? 0);
}
