import { performance } from 'node:perf_hooks';
import type { OrderBook, Post } from './order-book.ts';

/** The functions wait this long and then forget the call. */
const POST_DEADLINE_MS = 5_000;
const MESSAGES = { 'order-created': '订单已备份', notify: '处理成功' } as const;

export type Answer = { readonly status: number; readonly body: Readonly<Record<string, unknown>> };

/** The backend's HTTP side as the functions use it. Keeps count of what it answered. */
export class BackendApi {
  private readonly baseUrl: string;
  private readonly secret: string;
  private readonly book: OrderBook;
  readonly totals = { posted: 0, acknowledged: 0, slowestMs: 0 };
  /** Answers to well-formed notices that the contract does not know, with how often each came. */
  readonly wrongAnswers = new Map<string, number>();

  constructor(target: { baseUrl: string; secret: string }, book: OrderBook) {
    this.baseUrl = target.baseUrl;
    this.secret = target.secret;
    this.book = book;
  }

  async currentPrices(): Promise<{ basic?: number; premium?: number }> {
    const response = await fetch(`${this.baseUrl}/api/prices/current`, {
      redirect: 'error',
      signal: AbortSignal.timeout(POST_DEADLINE_MS),
    });
    const body = (await response.json()) as {
      data?: { packages?: { basic?: number; premium?: number } };
    };
    return body.data?.packages ?? {};
  }

  /** As the functions post: once, and whatever comes back is only noted. */
  async post(post: Post): Promise<void> {
    const startedMs = performance.now();
    this.totals.posted += 1;
    const problem = await this.send(post).then(
      (answer) => findWrong(post, answer),
      (error: unknown) => `no answer (${error instanceof Error ? error.name : String(error)})`,
    );
    this.totals.slowestMs = Math.max(this.totals.slowestMs, performance.now() - startedMs);
    if (problem) {
      const label = `${post.path}: ${problem}`;
      this.wrongAnswers.set(label, (this.wrongAnswers.get(label) ?? 0) + 1);
      return;
    }
    this.totals.acknowledged += 1;
    this.book.get(String(post.body.outTradeNo)).acknowledged[post.path] += 1;
  }

  /** What a web front end's server asks while its customer waits. */
  async orderStatus(outTradeNo: string): Promise<Answer> {
    const response = await fetch(`${this.baseUrl}/api/payment/orders/${outTradeNo}/status`, {
      headers: { 'x-internal-secret': this.secret },
      redirect: 'error',
      signal: AbortSignal.timeout(POST_DEADLINE_MS),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }

  /** `secret` set to another one, or to nothing, as by a function that was not configured. */
  async send({ path, body }: Post, secret = this.secret): Promise<Answer> {
    const response = await fetch(`${this.baseUrl}/api/payment/internal/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-internal-secret': secret },
      body: JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(POST_DEADLINE_MS),
    });
    return { status: response.status, body: (await response.json()) as Answer['body'] };
  }
}

function findWrong({ path, body: sent }: Post, { status, body }: Answer): string | null {
  if (status !== 200) return `answered ${status}`;
  if (body.success !== true || body.message !== MESSAGES[path]) return 'answered 200 with another body';
  if (path === 'notify') return null;
  const isSameOrder = sent.orderId === undefined || body.orderId === sent.orderId;
  return isSameOrder && typeof body.orderId === 'string' ? null : 'answered 200 with another orderId';
}
