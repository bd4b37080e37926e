import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

/** How a POST ended. Nothing of it is thrown: what a network error carries must not look like one of the database. */
export type Exchange =
  /** `body` is null when it was too large, or did not come to its end in time. */
  | { readonly kind: 'answered'; readonly status: number; readonly body: Buffer | null }
  /** In words for an operator, without the address. Whether the other side acted on it is unknown. */
  | { readonly kind: 'unanswered'; readonly reason: string };

export type PostLimits = {
  /** From the call to the last byte of the answer: slow bytes do not prolong it. */
  readonly deadlineMs: number;
  readonly answerBytesMax: number;
  /** Raised when the caller's own time is over. */
  readonly signal?: AbortSignal;
};

type Message = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

const ERROR_CODE_PATTERN = /^[A-Z0-9_]{1,60}$/;

/** Posts once, on a connection of its own: no proxy, no redirect is followed, and certificates are checked whatever the environment says. */
export function post(url: URL, message: Message, limits: PostLimits): Promise<Exchange> {
  const deadline = AbortSignal.timeout(limits.deadlineMs);
  const signal = limits.signal ? AbortSignal.any([limits.signal, deadline]) : deadline;
  const body = Buffer.from(message.body, 'utf8');
  const options = {
    method: 'POST',
    agent: false,
    signal,
    headers: { ...message.headers, 'Content-Length': String(body.length) },
  } as const;
  return new Promise((resolve) => {
    let isAnswered = false;
    const request =
      url.protocol === 'https:'
        ? httpsRequest(url, { ...options, rejectUnauthorized: true })
        : httpRequest(url, options);
    request.on('response', (response) => {
      isAnswered = true;
      void readUpTo(response, limits.answerBytesMax).then((read) =>
        resolve({ kind: 'answered', status: response.statusCode ?? 0, body: read }),
      );
    });
    const fail = (error?: unknown) => {
      // Once the status is there it counts, however the body ends.
      if (isAnswered) return;
      const reason = signal.aborted ? 'It did not answer in time.' : wordsFor(error);
      resolve({ kind: 'unanswered', reason });
    };
    request.on('error', fail);
    // Without an answer and without an error, too, such as when the other side switches to another protocol.
    request.on('close', fail);
    request.end(body);
  });
}

/** The whole body; null when there is more than `bytesMax` of it, or when it was cut short. */
function readUpTo(response: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size <= bytesMax) return;
      resolve(null);
      response.destroy();
    });
    response.on('end', () => resolve(Buffer.concat(chunks)));
    response.on('error', () => resolve(null));
    response.on('close', () => resolve(null));
  });
}

/** The code of the error alone: its message names the address. */
function wordsFor(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  const isTellable = typeof code === 'string' && ERROR_CODE_PATTERN.test(code);
  return `The connection failed${isTellable ? ` (${code})` : ''}.`;
}
