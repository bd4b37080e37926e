import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

/** Room for what a round leaves behind: garbage collection of the caller takes from those that it measures. */
const NODE_FLAGS = ['--min-semi-space-size=64', '--max-semi-space-size=64', '--v8-pool-size=1'];

export type LiveTask = {
  readonly url: string;
  readonly secret: string;
  readonly perSecond: number;
  readonly users: number;
  /** The first digits of the merchant numbers. */
  readonly numbersFrom: number;
};

export type Call = {
  readonly calledAtMs: number;
  /** 0 when no answer came. */
  readonly status: number;
  readonly durationMs: number;
};

/**
 * A cloud function that sends orders at a fixed rate, as a process of its own: the driver is WeChat Pay and the way to the
 * database as well, and what it measured beside that would be its own slowness.
 */
export class LiveCaller {
  private readonly child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.child = child;
  }

  static start(task: LiveTask): LiveCaller {
    const file = join(import.meta.dirname, 'live-client.ts');
    return new LiveCaller(
      spawn(process.execPath, [...NODE_FLAGS, file, JSON.stringify(task)], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      }),
    );
  }

  /** @returns every call, when the last one is answered */
  async stop(): Promise<Call[]> {
    const heard = once(this.child, 'message');
    const ended = once(this.child, 'exit');
    this.child.send('stop');
    const [calls] = (await Promise.race([heard, ended.then(() => [null])])) as [Call[] | null];
    if (!calls) throw new Error('the live caller ended by itself');
    await ended;
    return calls;
  }
}
