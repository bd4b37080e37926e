import { mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { findQuietPort, startBackend } from '../../support/process.ts';
import type { BackendProcess, Ending } from '../../support/process.ts';
import { TcpProxy } from '../../support/tcp-proxy.ts';
import type { HaltPoint } from '../../support/tcp-proxy.ts';
import type { ReplicaTrace } from '../checker/evidence.ts';
import { traceSyscalls } from './strace.ts';
import type { Injection } from './strace.ts';

const PROBE_WITHIN_MS = 2_000;

export type ReplicaSetting = {
  readonly name: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly env: Readonly<Record<string, string>>;
  readonly spoolDir: string;
  /** Compiled files other than those of this checkout. */
  readonly compiled?: string;
};

export type Health = {
  readonly status: string;
  readonly spool: { readonly depth?: number };
  readonly inbox: { readonly pending: number } | null;
};

/** One place behind the balancer: its processes come and go, its port, its spool and its way to the database stay. */
export class Replica {
  readonly name: string;
  readonly port: number;
  readonly proxy: TcpProxy;
  readonly spoolDir: string;
  /** From the start of a process until it answered. */
  readonly bootsMs: number[] = [];
  private readonly setting: ReplicaSetting;
  private readonly kills: Record<string, number> = {};
  private readonly log: string[] = [];
  private process: BackendProcess | null = null;

  private constructor(setting: ReplicaSetting, port: number, proxy: TcpProxy) {
    this.setting = setting;
    this.name = setting.name;
    this.spoolDir = setting.spoolDir;
    this.port = port;
    this.proxy = proxy;
  }

  static async prepare(setting: ReplicaSetting): Promise<Replica> {
    mkdirSync(setting.spoolDir, { recursive: true });
    return new Replica(setting, await findQuietPort(), await TcpProxy.start(setting.server));
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get isUp(): boolean {
    return this.process !== null;
  }

  /** Resolves when the process is live, which it must be without its database as well. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    if (this.process) throw new Error(`${this.name} is running`);
    const startedMs = performance.now();
    const { compiled } = this.setting;
    this.process = await startBackend(
      { env: this.proxy.env },
      { ...this.setting.env, ...env, SPOOL_DIR: this.spoolDir },
      { port: this.port, compiled, onOutput: (text) => this.log.push(text) },
    );
    this.bootsMs.push(performance.now() - startedMs);
  }

  /** Only a live process is killed, and so only such a kill is counted. */
  async kill(kind: string): Promise<void> {
    const { process } = this;
    if (!process) throw new Error(`${this.name} is not running`);
    this.process = null;
    await process.end('SIGKILL');
    this.countKill(kind);
    await this.proxy.pass();
  }

  async terminate(): Promise<Ending> {
    const { process } = this;
    if (!process) throw new Error(`${this.name} is not running`);
    this.process = null;
    return process.end('SIGTERM');
  }

  /**
   * Kills the process at the n-th moment of this kind in its talk with the database.
   * @returns false when `isOver` said so before the moment came; the process lives on then
   */
  async killAt(point: HaltPoint, isOver: () => boolean): Promise<boolean> {
    let isReached = false;
    void this.proxy.haltAt(point).then(() => (isReached = true));
    while (!isReached && !isOver()) await sleep(5);
    if (isReached) await this.kill(point.at);
    else await this.proxy.pass();
    return isReached;
  }

  /**
   * Has the process killed at one of its syncs of the spool: its thread makes no other.
   * @param act what brings the syncs about, once they are counted
   * @returns false when `isOver` said so before that sync came; the process lives on then
   */
  async killAtSync(
    nth: number,
    isOver: () => boolean,
    act: () => Promise<unknown> = async () => undefined,
  ): Promise<boolean> {
    const { process } = this;
    if (!process) throw new Error(`${this.name} is not running`);
    const trace = await this.trace({ action: 'signal=SIGKILL', when: String(nth) });
    let hasEnded = false;
    const ended = process.ended.then(() => (hasEnded = true));
    const acted = act();
    while (!hasEnded && !isOver()) await sleep(5);
    await trace.stop();
    if (hasEnded) {
      await ended;
      this.process = null;
      this.countKill('fsync');
    }
    await acted;
    return hasEnded;
  }

  /** Changes what the process's syncs to disk do, until the trace is stopped. */
  trace(injection: Injection): Promise<{ stop(): Promise<void> }> {
    if (!this.process) throw new Error(`${this.name} is not running`);
    return traceSyscalls(this.process.pid, injection);
  }

  /** Null when it does not answer. */
  async health(): Promise<Health | null> {
    try {
      const answer = await fetch(`${this.url}/health/ready`, {
        signal: AbortSignal.timeout(PROBE_WITHIN_MS),
      });
      return (await answer.json()) as Health;
    } catch {
      return null;
    }
  }

  async evidence(): Promise<ReplicaTrace> {
    const health = await this.health();
    const spoolDepth = health?.spool.depth ?? -1;
    return { name: this.name, kills: this.kills, log: this.log.join(''), spoolDepth };
  }

  get killsByKind(): Readonly<Record<string, number>> {
    return this.kills;
  }

  async close(): Promise<void> {
    if (this.process) await this.process.end('SIGKILL');
    this.process = null;
    await this.proxy.close();
  }

  private countKill(kind: string): void {
    this.kills[kind] = (this.kills[kind] ?? 0) + 1;
  }
}
