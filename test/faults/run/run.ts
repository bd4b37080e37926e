import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import type { Evidence } from '../checker/evidence.ts';
import { payInCalm } from './calm.ts';
import { walkExactPoints } from './exact-walk.ts';
import type { FaultNumber } from './fault-numbers.ts';
import { CATALOGUE } from './faults/catalogue.ts';
import { gatherEvidence } from './gather.ts';
import { killOnce } from './kills.ts';
import { RunPlan } from './plan.ts';
import { heal, untilQuiet } from './quiet.ts';
import type { FaultServer } from './server.ts';
import { judge } from './verdict.ts';
import type { Judged } from './verdict.ts';
import { World } from './world.ts';

const ORDERS_PER_SECOND = 8;
/** Without kills or faults to wait for, the traffic alone makes a run. */
const TRAFFIC_MS_MIN = 3_000;

export type RunOptions = {
  readonly seed: number;
  readonly only: readonly FaultNumber[];
  readonly kills: number;
  readonly server: FaultServer;
  /** Everything the run leaves behind is written here, and removed when there was nothing to find. */
  readonly dir: string;
  readonly keep: boolean;
  readonly compiled?: string;
  /** How long it may take to come to rest. */
  readonly restWithinMs?: number;
  readonly say: (text: string) => void;
};

export type RunResult = {
  readonly seed: number;
  readonly server: string;
  readonly faults: readonly string[];
  readonly kills: Readonly<Record<string, number>>;
  readonly messages: number;
  readonly acknowledged: number;
  readonly orders: number;
  readonly refunds: number;
  readonly logBytes: number;
  readonly seconds: number;
  readonly quietSeconds: number;
  readonly bootMsMax: number;
  readonly notRun: Readonly<Record<string, string>>;
  readonly judged: Judged;
  readonly findings: readonly string[];
};

/** One seed from an empty database to the verdict. */
export async function runSeed(options: RunOptions): Promise<RunResult> {
  const { seed, only, server, dir, compiled, say } = options;
  const startedMs = performance.now();
  const plan = new RunPlan(seed, only);
  const world = await World.start({ server, seed, dir, compiled });
  try {
    await world.open();
    if (plan.faults.includes('F2')) await walkExactPoints(world, say);
    await playTrafficAndFaults(world, plan, options);
    say('healing');
    await heal(world);
    const healedAtMs = Date.now();
    await payInCalm(world);
    // What is to be found by itself must not be hurried.
    const quietMs = await untilQuiet(world, Date.now(), options.restWithinMs);
    const evidence = await gatherEvidence(world, plan, { healedAtMs, quietAtMs: Date.now() });
    const judged = await judge(world, evidence);
    const result = summarise(world, { plan, evidence, judged, quietMs, startedMs });
    if (result.findings.length === 0 && !options.keep) rmSync(dir, { recursive: true, force: true });
    else keepEvidence(dir, evidence);
    return result;
  } finally {
    await world.close();
  }
}

/** Traffic as long as anything fails, and a moment longer. */
async function playTrafficAndFaults(world: World, plan: RunPlan, options: RunOptions): Promise<void> {
  let isOver = false;
  const traffic = playTraffic(world, plan, () => isOver);
  try {
    await Promise.all([
      playKills(world, plan, options),
      playFaults(world, plan, options),
      sleep(TRAFFIC_MS_MIN),
    ]);
  } finally {
    isOver = true;
    await traffic;
  }
}

/** An open loop: a slow backend does not slow its customers down. */
async function playTraffic(world: World, plan: RunPlan, isOver: () => boolean): Promise<void> {
  const playing: Promise<void>[] = [];
  while (!isOver()) {
    playing.push(world.shop.play(plan.nextOrder()));
    await sleep(1000 / ORDERS_PER_SECOND);
  }
  await Promise.all(playing);
}

async function playKills(world: World, plan: RunPlan, { kills, say }: RunOptions): Promise<void> {
  if (!plan.isKilling) return;
  for (let done = 0; done < kills; done += 1) {
    await killOnce(world, world.replicas[done % 2 === 0 ? 0 : 1], plan.nextKill());
    say(`${done + 1} of ${kills} kills`);
  }
}

async function playFaults(world: World, plan: RunPlan, { say }: RunOptions): Promise<void> {
  for (const number of plan.shuffledFaults()) {
    if (number === 'F1' || number === 'F2') continue;
    say(`fault ${number}`);
    await CATALOGUE[number](world, plan.forkForFault());
    await sleep(300);
  }
}

function summarise(
  world: World,
  of: {
    plan: RunPlan;
    evidence: Omit<Evidence, 'changes'>;
    judged: Judged;
    quietMs: number;
    startedMs: number;
  },
): RunResult {
  const { plan, evidence, judged, quietMs, startedMs } = of;
  const { history, replicas, ledger } = evidence;
  const internal = history.filter(({ path }) => path.startsWith('/api/payment/'));
  const kills: Record<string, number> = {};
  for (const replica of replicas)
    for (const [kind, count] of Object.entries(replica.kills)) kills[kind] = (kills[kind] ?? 0) + count;
  return {
    seed: plan.seed,
    server: world.server.label,
    faults: plan.faults,
    kills,
    messages: internal.length,
    acknowledged: internal.filter(({ status }) => status !== null && status < 300).length,
    orders: evidence.tables.payment_orders?.length ?? 0,
    refunds: ledger.refunds.length,
    logBytes: replicas.reduce((sum, { log }) => sum + log.length, 0),
    seconds: Math.round((performance.now() - startedMs) / 1000),
    quietSeconds: Math.round(quietMs / 1000),
    bootMsMax: Math.round(Math.max(...world.replicas.flatMap(({ bootsMs }) => bootsMs))),
    notRun: Object.fromEntries(world.notRun),
    judged,
    findings: [...world.findings, ...replicas.flatMap(({ crashes }) => crashes), ...judged.findings],
  };
}

function keepEvidence(dir: string, evidence: Omit<Evidence, 'changes'>): void {
  writeFileSync(join(dir, 'evidence.json'), JSON.stringify(evidence, null, 1));
  for (const { name, log } of evidence.replicas) writeFileSync(join(dir, `replica-${name}.log`), log);
  rmSync(join(dir, 'compiled'), { recursive: true, force: true });
}
