import { setPriority } from 'node:os';
import { Caller } from '../../../support/open-loop.ts';
import { arrive } from './figures.ts';
import type { Call, LiveTask } from './live-caller.ts';

/* The process of `LiveCaller`: an order comes in so many times a second until its parent says stop, and hears of all then. */

const ANSWER_WITHIN_MS = 5_000;

const FIRST = -20;

// A caller is another machine: what it measures must not be how long it waits for a processor of this one. Only root may.
if (process.getuid?.() === 0) setPriority(FIRST);

const task = JSON.parse(process.argv[2] ?? '') as LiveTask;
/** Not fetch, which takes twice the time of a processor that the replicas need. */
const caller = new Caller(task.url, ANSWER_WITHIN_MS);
let isOver = false;
let made = 0;

process.on('message', () => (isOver = true));
process.on('disconnect', () => process.exit(1));
const calls = await arrive(task.perSecond, () => isOver, order);
process.send?.(calls, () => process.exit(0));

async function order(): Promise<Call> {
  made += 1;
  const outTradeNo = `${task.numbersFrom}${String(made).padStart(5, '0')}`;
  const user = made % task.users;
  const body = {
    outTradeNo,
    orderId: `order-${task.numbersFrom}-${made}live`,
    userId: `user-live-${user}`,
    openid: `oLive${String(user).padStart(23, '0')}`,
    amount: 2990,
    packageType: 'premium',
    status: 'pending',
  };
  const calledAtMs = Date.now();
  const { status, durationMs } = await caller.send({
    method: 'POST',
    path: '/api/payment/internal/order-created',
    headers: { 'X-Internal-Secret': task.secret },
    body,
  });
  return { calledAtMs, status, durationMs };
}
