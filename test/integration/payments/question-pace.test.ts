import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { OrderQueriesService } from '../../../src/payments/order-queries.service.js';
import { EdgeActivity } from '../../../src/platform/inbox/edge-activity.js';
import { WechatpayBackend } from '../../support/wechatpay-backend.js';

/*
 * Each question costs a signature, which holds up whoever is served by the same process: questions go one after the other, and
 * more slowly while somebody orders. Only the shortest times are looked at: a busy machine makes them longer.
 */

const QUESTIONS = 12;
const EVERY_MS = 1_000 / 60;

let backend: WechatpayBackend;

beforeAll(async () => {
  backend = await WechatpayBackend.start();
});
afterAll(() => backend.stop());
beforeEach(async () => {
  await backend.heal();
  // Those of the test before come due again, as time goes on at WeChat Pay.
  await backend.database.query('DELETE FROM order_queries');
});

/** @param dueForSeconds how long they have been due */
async function questions(dueForSeconds: number): Promise<string[]> {
  const numbers: string[] = [];
  for (let n = 0; n < QUESTIONS; n += 1) numbers.push(await backend.order());
  await backend.database.query(
    'INSERT INTO order_queries (out_trade_no, due_at) SELECT out_trade_no, NOW(3) - INTERVAL ? SECOND FROM payment_orders WHERE out_trade_no IN (?)',
    [dueForSeconds, numbers],
  );
  return numbers;
}

async function askFor(stopping = new AbortController().signal): Promise<number> {
  const startedMs = performance.now();
  await backend.application.app.get(OrderQueriesService).askDue({ stopping, lease: null });
  return performance.now() - startedMs;
}

/** Orders that come in all the time. */
async function whileServing<Result>(work: () => Promise<Result>): Promise<Result> {
  const edge = backend.application.app.get(EdgeActivity);
  edge.note();
  const noting = setInterval(() => edge.note(), 20);
  try {
    return await work();
  } finally {
    clearInterval(noting);
  }
}

const askedOf = (numbers: readonly string[]) => numbers.map((outTradeNo) => backend.timesAsked(outTradeNo));

describe('questions to WeChat Pay', () => {
  it('go one after the other, each once', async () => {
    const numbers = await questions(0);
    expect(await askFor()).toBeGreaterThan((QUESTIONS - 1) * EVERY_MS);
    expect(askedOf(numbers)).toEqual(numbers.map(() => 1));
  });

  it('go at less than half of that while somebody is served', async () => {
    const numbers = await questions(0);
    const tookMs = await whileServing(() => askFor());
    expect(tookMs).toBeGreaterThan((QUESTIONS - 1) * EVERY_MS * 2);
    expect(askedOf(numbers)).toEqual(numbers.map(() => 1));
  });

  // Otherwise whoever pays during a sale would get nothing until it is over.
  it('do not rest for others when they have waited long', async () => {
    await questions(60);
    const rests: number[] = [];
    const edge = backend.application.app.get(EdgeActivity);
    const restAfter = edge.restAfter.bind(edge);
    edge.restAfter = (of) => {
      const restMs = restAfter(of);
      rests.push(restMs);
      return restMs;
    };
    await whileServing(() => askFor()).finally(() => (edge.restAfter = restAfter));
    expect(rests).toEqual(Array.from({ length: QUESTIONS }, () => 0));
  });

  it('that a stop leaves unasked are due again, as if they had not been claimed', async () => {
    const numbers = await questions(0);
    const stop = new AbortController();
    await whileServing(async () => {
      const asking = askFor(stop.signal);
      await vi.waitUntil(() => askedOf(numbers).some((times) => times > 0), { interval: 5, timeout: 10_000 });
      stop.abort();
      await asking;
    });
    const left = numbers.filter((outTradeNo) => backend.timesAsked(outTradeNo) === 0);
    expect(left.length).toBeGreaterThan(0);
    for (const outTradeNo of left) {
      const row = await backend.queryRow(outTradeNo);
      expect(row?.asks).toBe(0);
      expect(row?.due_in_s).toBeLessThanOrEqual(0);
    }
    await askFor();
    expect(askedOf(left)).toEqual(left.map(() => 1));
  });
});
