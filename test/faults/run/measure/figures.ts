import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Heard } from '../recorder.ts';

/** One promise in numbers, and what was seen of it. */
export type Figure = {
  readonly what: string;
  readonly goal: string;
  readonly seen: string;
  /** Null where this machine could not put on the load that the promise is about. */
  readonly holds: boolean | null;
};

const BURST_MAX = 20;

setFlagsFromString('--expose-gc');

/**
 * Collects the garbage of this process now: the driver remembers everything it said, and five threads that go through that for
 * 100 ms in the middle of a measurement take the processors from those whose time is measured.
 */
export const collectGarbage = runInNewContext('gc') as () => void;

/** An open loop: a fixed rate of arrivals, whatever becomes of those before. Resolves when all are answered or given up. */
export async function arrive<Result>(
  perSecond: number,
  isOver: (sent: number) => boolean,
  send: () => Promise<Result>,
): Promise<Result[]> {
  const startedMs = performance.now();
  const sent: Promise<Result>[] = [];
  while (!isOver(sent.length)) {
    // What fell due while this process was busy is sent now, but never so much at once that no answer is heard any more:
    // a machine that cannot keep the rate falls behind it, and whoever measures must look at what was reached.
    const due = Math.floor(((performance.now() - startedMs) / 1000) * perSecond) + 1 - sent.length;
    const burst = Math.min(due, BURST_MAX);
    for (let at = 0; at < burst && !isOver(sent.length); at += 1) sent.push(send());
    await sleep(1000 / perSecond);
  }
  return Promise.all(sent);
}

/** @param share 0.99 for p99 @returns milliseconds */
export function percentile(heard: readonly Pick<Heard, 'durationMs'>[], share: number): number {
  const sorted = heard.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function countBad(heard: readonly Pick<Heard, 'status'>[]): number {
  return heard.filter(({ status }) => status !== 200).length;
}

export const ms = (value: number) =>
  Number.isFinite(value) ? `${Math.round(value)} ms` : 'longer than was waited for';

/**
 * Begins to watch what the host of a virtual machine keeps of its processors for others: figures of such a time are the host's.
 * Linux only. @returns tells the share since then
 */
export function watchStolenTime(): () => number {
  const from = processorTimes();
  return () => {
    const to = processorTimes();
    return (to.stolen - from.stolen) / Math.max(1, to.all - from.all);
  };
}

/** The first line of /proc/stat (proc(5)): user, nice, system, idle, iowait, irq, softirq, steal; guests are within user. */
function processorTimes(): { stolen: number; all: number } {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n');
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { stolen: times[7] ?? 0, all: times.reduce((sum, time) => sum + time, 0) };
}
