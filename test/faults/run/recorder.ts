import type { DirectWrite, HttpEvent } from '../checker/evidence.ts';

const ANSWER_WITHIN_MS = 5_000;

export type Request = {
  readonly client: string;
  readonly to: { readonly name: string; readonly url: string };
  readonly method?: 'GET' | 'POST';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** What goes over the wire in place of `body`, which then says what it means. */
  readonly raw?: string;
};

export type Heard = {
  readonly status: number | null;
  readonly answer: unknown;
  readonly durationMs: number;
  /** Nobody listened there: the request was certainly not sent, and may go elsewhere. */
  readonly isRefused: boolean;
};

/** Writes down everything that is said to the backend, and what it answers. */
export class Recorder {
  readonly history: HttpEvent[] = [];
  readonly directWrites: DirectWrite[] = [];

  /** Never rejects: without an answer the status is null, and it may or may not have happened. */
  async send(request: Request): Promise<Heard> {
    const { client, to, method = 'POST', path, headers = {}, body, raw } = request;
    const calledAtMs = Date.now();
    const startedMs = performance.now();
    let status: number | null = null;
    let answer: unknown = null;
    let isRefused = false;
    try {
      const response = await fetch(to.url + path, {
        method,
        headers: { ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: raw ?? JSON.stringify(body) }),
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      const text = await response.text();
      answer = parse(text);
      ({ status } = response);
    } catch (error) {
      isRefused = (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED';
    }
    const durationMs = performance.now() - startedMs;
    const returnedAtMs = status === null ? null : Date.now();
    const event = { client, replica: to.name, calledAtMs, returnedAtMs, method, path, body, status, answer };
    this.history.push(event);
    return { status, answer, durationMs, isRefused };
  }

  wrote(write: Omit<DirectWrite, 'committedAtMs'>): void {
    this.directWrites.push({ ...write, committedAtMs: Date.now() });
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
