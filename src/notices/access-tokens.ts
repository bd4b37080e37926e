import type { Clock } from '../shared/clock.js';

/** In its last five minutes WeChat gives out the next token; the old one is good until its end. */
const RENEW_BEFORE_END_MS = 300_000;

type Fetched =
  | { readonly kind: 'token'; readonly text: string; readonly lifeMs: number }
  | { readonly kind: 'none'; readonly reason: string };

type Token =
  { readonly kind: 'token'; readonly text: string } | { readonly kind: 'none'; readonly reason: string };

/** The mini program's access token, fetched once for all who need it at the same time, and kept while it is good. */
export class AccessTokens {
  private kept: { readonly text: string; readonly untilMs: number } | null = null;
  private fetching: Promise<Token> | null = null;

  constructor(
    private readonly fetch: () => Promise<Fetched>,
    private readonly clock: Clock,
  ) {}

  /** Waits no longer than until `signal` is raised; the fetch goes on for the others. */
  async get(signal: AbortSignal): Promise<Token> {
    if (this.kept && this.clock.nowMs() < this.kept.untilMs) return { kind: 'token', text: this.kept.text };
    this.fetching ??= this.fetchAndKeep().finally(() => {
      this.fetching = null;
    });
    return Promise.race([this.fetching, timeIsOver(signal)]);
  }

  /** This token was refused. Another one that came meanwhile stays. */
  drop(text: string): void {
    if (this.kept?.text === text) this.kept = null;
  }

  private async fetchAndKeep(): Promise<Token> {
    const fetched = await this.fetch();
    if (fetched.kind === 'none') return fetched;
    const { text, lifeMs } = fetched;
    this.kept = { text, untilMs: this.clock.nowMs() + lifeMs - RENEW_BEFORE_END_MS };
    return { kind: 'token', text };
  }
}

function timeIsOver(signal: AbortSignal): Promise<Token> {
  const none = { kind: 'none', reason: 'WeChat gave no access token in time.' } as const;
  return new Promise((resolve) => {
    if (signal.aborted) resolve(none);
    else signal.addEventListener('abort', () => resolve(none), { once: true });
  });
}
