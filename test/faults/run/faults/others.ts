import { setTimeout as sleep } from 'node:timers/promises';
import { FUNCTION_FAULT_KINDS } from '../../../support/cloud-function-stand-in.ts';
import { FAULT_KINDS } from '../../../support/wechatpay-simulator/faults.ts';
import type { Fault } from './fault.ts';

const UPSTREAM_FAULTS = 12;
const UPSTREAM_MS = 4_000;
const RESTARTS = 4;
const EXIT_WITHIN_MS = 10_000;
const PAUSE_MS = 300;

/** What is not used up within its time is taken back. */
export const failUpstream: Fault = async ({ simulator, standIn }, chance) => {
  for (let count = 0; count < UPSTREAM_FAULTS; count += 1) {
    simulator.faults.next(chance.pick(FAULT_KINDS));
    standIn.failNext(chance.pick(FUNCTION_FAULT_KINDS));
  }
  await sleep(UPSTREAM_MS);
  simulator.faults.clear();
  standIn.heal();
};

export const restartInTurn: Fault = async (world) => {
  for (let restart = 0; restart < RESTARTS; restart += 1) {
    await world.alone(async () => {
      const replica = world.replicas[restart % 2 === 0 ? 0 : 1];
      const startedMs = performance.now();
      const { code, signal } = await replica.terminate();
      const tookMs = Math.round(performance.now() - startedMs);
      // When all is put in order, the process ends itself with the signal it was sent.
      const isOrderly = code === 0 || signal === 'SIGTERM';
      if (!isOrderly || tookMs > EXIT_WITHIN_MS)
        world.find(`F20: ${replica.name} ended with ${String(code ?? signal)} after ${tookMs} ms`);
      await replica.start();
    });
    await sleep(PAUSE_MS);
  }
};
