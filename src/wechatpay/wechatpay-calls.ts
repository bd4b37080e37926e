import { setTimeout as sleep } from 'node:timers/promises';
import type { AppLogger, LogFields } from '../platform/logging/app-logger.js';
import type { Clock } from '../shared/clock.js';
import { UnexpectedContent } from './answer-reader.js';
import { CircuitBreaker } from './circuit-breaker.js';
import type { BreakerState } from './circuit-breaker.js';
import { FailureRate, StartRate } from './rate-limit.js';
import { failureOfAnswer, heldBack, isChannelFailure, unknownOutcome } from './wechatpay-outcome.js';
import type { WechatpayAnswer, WechatpayRequest, WechatpayTransport } from './wechatpay-transport.js';
import { WechatpayError } from './wechatpay.types.js';

/** WeChat Pay's limit for queries of one merchant. */
const QUERIES_PER_SECOND_MAX = 300;
/** A query waits this long for its turn at most; a longer queue is told to come again. */
const QUERY_WAIT_MS_MAX = 1000;
/** WeChat Pay's limit for refund calls that fail; above it, it refuses good ones as well. */
const FAILING_REFUNDS_PER_SECOND_MAX = 6;
/** Fewer could be chance; more would keep every caller waiting for its whole deadline. */
const BREAKER_FAILURES_MAX = 5;
/** Long enough to spare a struggling server, short enough that customers hardly notice its return. */
const BREAKER_OPEN_MS = 10_000;
const HELD_BACK_RETRY_MS = 1000;

export type WechatpayCall = {
  /** What the log calls it. */
  readonly name: string;
  readonly limit: 'query' | 'refund' | 'none';
  readonly request: WechatpayRequest;
  readonly successStatus: 200 | 204;
  /** Numbers that find the order or refund again; nothing personal. */
  readonly about: LogFields;
};

/** Every call goes through here: limits, circuit breaker, one class for each failure, one log line for each that matters. */
export class WechatpayCalls {
  private readonly queries: StartRate;
  private readonly failingRefunds: FailureRate;
  private readonly breaker: CircuitBreaker;

  constructor(
    private readonly transport: WechatpayTransport,
    private readonly clock: Clock,
    private readonly logger: AppLogger,
  ) {
    this.queries = new StartRate(clock, { perSecond: QUERIES_PER_SECOND_MAX, waitMsMax: QUERY_WAIT_MS_MAX });
    this.failingRefunds = new FailureRate(clock, FAILING_REFUNDS_PER_SECOND_MAX);
    const limits = { failuresMax: BREAKER_FAILURES_MAX, openMs: BREAKER_OPEN_MS };
    this.breaker = new CircuitBreaker(clock, limits, (state) => this.reportBreaker(state));
  }

  get breakerState(): BreakerState {
    return this.breaker.state;
  }

  /** @throws WechatpayError */
  async run<T>(call: WechatpayCall, read: (answer: WechatpayAnswer) => T | Promise<T>): Promise<T> {
    const startedAtMs = this.clock.nowMs();
    try {
      if (call.limit === 'query') return await this.askInTurn(call, read);
      if (call.limit === 'refund') return await this.sendRefund(call, read);
      return await this.exchange(call, read);
    } catch (error) {
      const failure = this.classify(error);
      this.reportFailure(call, failure, this.clock.nowMs() - startedAtMs);
      throw failure;
    }
  }

  private async askInTurn<T>(
    call: WechatpayCall,
    read: (answer: WechatpayAnswer) => T | Promise<T>,
  ): Promise<T> {
    const { deadlineMs } = call.request;
    // At least half of the time is kept for the question itself.
    const waitMs = this.queries.reserve(deadlineMs / 2);
    if (waitMs === null) throw heldBack('rate_limited', HELD_BACK_RETRY_MS);
    if (waitMs > 0) await sleep(waitMs);
    return this.exchange({ ...call, request: { ...call.request, deadlineMs: deadlineMs - waitMs } }, read);
  }

  private async sendRefund<T>(
    call: WechatpayCall,
    read: (answer: WechatpayAnswer) => T | Promise<T>,
  ): Promise<T> {
    if (!this.failingRefunds.enter()) throw heldBack('rate_limited', HELD_BACK_RETRY_MS);
    let hasFailed = true;
    try {
      const result = await this.exchange(call, read);
      hasFailed = false;
      return result;
    } catch (error) {
      // What the breaker held back never reached WeChat Pay.
      if (error instanceof WechatpayError && error.reason === 'breaker_open') hasFailed = false;
      throw error;
    } finally {
      this.failingRefunds.leave(hasFailed);
    }
  }

  private async exchange<T>(
    call: WechatpayCall,
    read: (answer: WechatpayAnswer) => T | Promise<T>,
  ): Promise<T> {
    if (!this.breaker.admits()) {
      throw heldBack('breaker_open', this.breaker.remainingMs() || HELD_BACK_RETRY_MS);
    }
    try {
      const answer = await this.transport.exchange(call.request);
      if (answer.status !== call.successStatus) throw failureOfAnswer(answer);
      const result = await read(answer);
      this.breaker.succeeded();
      return result;
    } catch (error) {
      // A refusal, or an answer that does not fit the question, still shows that WeChat Pay is there.
      if (error instanceof WechatpayError && isChannelFailure(error)) this.breaker.failed();
      else this.breaker.succeeded();
      throw error;
    }
  }

  private classify(error: unknown): WechatpayError {
    if (error instanceof WechatpayError) return error;
    if (error instanceof UnexpectedContent) {
      return unknownOutcome('unexpected_content', { detail: error.message });
    }
    this.logger.failed('wechatpay.answer_reading_failed', error);
    return unknownOutcome('unexpected_content');
  }

  private reportFailure(call: WechatpayCall, failure: WechatpayError, durationMs: number): void {
    const fields: LogFields = {
      call: call.name,
      ...call.about,
      outcome: failure.outcome,
      reason: failure.reason,
      httpStatus: failure.httpStatus,
      wechatRequestId: failure.requestId,
      durationMs,
    };
    if (failure.outcome === 'misconfigured')
      this.logger.failed('wechatpay.refused_our_setup', failure, fields);
    else if (failure.outcome === 'final') this.logger.info('wechatpay.call_refused', fields);
    else if (failure.outcome !== 'not_found') this.logger.warned('wechatpay.call_failed', fields);
  }

  private reportBreaker(state: BreakerState): void {
    if (state === 'open') this.logger.warned('wechatpay.breaker_opened', { openMs: BREAKER_OPEN_MS });
    if (state === 'closed') this.logger.info('wechatpay.breaker_closed');
  }
}
