import { setTimeout as sleep } from 'node:timers/promises';
import type { Heard } from '../recorder.ts';
import type { Replica } from '../replica.ts';
import type { World } from '../world.ts';
import { arrive, ms, percentile } from './figures.ts';
import type { Figure } from './figures.ts';

const RESTARTS = 50;
const PER_SECOND = 200;
const EXIT_MS_MAX = 10_000;
const PROBE_EVERY_MS = 100;
/** A balancer has seen that the new process is ready before the next one goes. */
const PAUSE_MS = 500;
/** A generator that reaches less than this of its rate has measured something else. */
const RATE_SHARE_MIN = 0.95;

/** Restarts in turn behind a balancer that asks `/health/ready` and repeats only what was certainly not sent. */
export async function measureRollingRestarts(world: World): Promise<Figure[]> {
  const balancer = new Balancer(world.replicas);
  let isOver = false;
  let user = 0;
  let arrivals = 0;
  const send = () => {
    arrivals += 1;
    const sale = world.shop.open('premium', (user += 1) % 400);
    return balancer.send((to) => world.shop.orderCreated(sale, to));
  };
  const startedAtMs = performance.now();
  const loading = arrive(PER_SECOND, () => isOver, send);
  const exitsMs: number[] = [];
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    const replica = world.replicas[restart % 2 === 0 ? 0 : 1];
    const startedMs = performance.now();
    await replica.terminate();
    exitsMs.push(performance.now() - startedMs);
    await replica.start();
    await balancer.untilSeen(replica);
    await sleep(PAUSE_MS);
  }
  const perSecond = arrivals / ((performance.now() - startedAtMs) / 1000);
  isOver = true;
  const heard = await loading;
  balancer.close();
  const failed = heard.filter(({ status }) => status === null || status >= 500).length;
  const slowestExit = Math.max(...exitsMs);
  return [
    {
      what: `${RESTARTS} rolling restarts at ${PER_SECOND} requests a second`,
      goal: `no request failed, exit within ${EXIT_MS_MAX} ms`,
      seen: `${failed} of ${heard.length} failed at ${Math.round(perSecond)} a second, p99 ${ms(percentile(heard, 0.99))}, slowest exit ${ms(slowestExit)}`,
      holds: perSecond < RATE_SHARE_MIN * PER_SECOND ? null : failed === 0 && slowestExit <= EXIT_MS_MAX,
    },
  ];
}

class Balancer {
  private readonly replicas: readonly Replica[];
  private ready: Replica[];
  private turn = 0;
  private isClosed = false;

  constructor(replicas: readonly Replica[]) {
    this.replicas = replicas;
    this.ready = [...replicas];
    void this.probe();
  }

  async send(to: (replica: Replica) => Promise<Heard>): Promise<Heard> {
    const tried = new Set<Replica>();
    for (;;) {
      const candidates = [...this.ready, ...this.replicas].filter((replica) => !tried.has(replica));
      this.turn += 1;
      const first = this.ready.filter((replica) => !tried.has(replica));
      const chosen = first[this.turn % Math.max(1, first.length)] ?? candidates[0];
      if (!chosen) throw new Error('every replica was tried');
      tried.add(chosen);
      const heard = await to(chosen);
      if (!heard.isRefused || tried.size === this.replicas.length) return heard;
    }
  }

  async untilSeen(replica: Replica): Promise<void> {
    while (!this.ready.includes(replica)) await sleep(PROBE_EVERY_MS);
  }

  close(): void {
    this.isClosed = true;
  }

  private async probe(): Promise<void> {
    while (!this.isClosed) {
      const healths = await Promise.all(this.replicas.map((replica) => replica.health()));
      this.ready = this.replicas.filter((_, at) => ['ready', 'degraded'].includes(healths[at]?.status ?? ''));
      await sleep(PROBE_EVERY_MS);
    }
  }
}
