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
/** What was killed is known to be dead. */
const SETTLED_AFTER_MS = 100;

export type ReplicaSetting = {
  readonly name: string;
  readonly server: { readonly host: string; readonly port: number };
  readonly env: Readonly<Record<string, string>>;
  readonly spoolDir: string;
  readonly isDirect?: boolean;
  /** Compiled files other than those of this checkout. */
  readonly compiled?: string;
};

/** The moments at which a statement of this process takes effect, and its answer is not there yet. */
export const MOMENTS = {
  'before-commit': { word: '', at: 'before-commit' },
  'after-commit': { word: '', at: 'after-commit' },
  // Acknowledges messages, and commits by itself.
  'before-insert': { word: 'INSERT INTO inbox_messages', at: 'before' },
  'after-insert': { word: 'INSERT INTO inbox_messages', at: 'after' },
} as const satisfies Record<string, HaltPoint>;
export type Moment = keyof typeof MOMENTS;

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
  /** Ends that nobody asked for. */
  readonly crashes: string[] = [];
  private readonly setting: ReplicaSetting;
  private readonly kills: Record<string, number> = {};
  private readonly log: string[] = [];
  private process: BackendProcess | null = null;
  private isToBeShot = false;

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
    const { compiled, isDirect, server } = this.setting;
    const direct = { DB_HOST: server.host, DB_PORT: String(server.port) };
    this.process = await startBackend(
      { env: isDirect ? direct : this.proxy.env },
      { ...this.setting.env, ...env, SPOOL_DIR: this.spoolDir },
      { port: this.port, compiled, onOutput: (text) => this.log.push(text) },
    );
    this.bootsMs.push(performance.now() - startedMs);
    this.watch(this.process);
  }

  private watch(process: BackendProcess): void {
    void process.ended.then(({ code, signal }) => {
      // Whoever ends it takes it out first; only strace kills it where it stands.
      if (this.process !== process || (this.isToBeShot && signal === 'SIGKILL')) return;
      this.crashes.push(`${this.name} ended by itself with ${String(code ?? signal)}`);
    });
  }

  /** Only a live process is killed, and so only such a kill is counted. */
  async kill(kind: string): Promise<void> {
    const { process } = this;
    if (!process) throw new Error(`${this.name} is not running`);
    this.process = null;
    const { signal } = await process.end('SIGKILL');
    if (signal === 'SIGKILL') this.countKill(kind);
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
   * @param moment where that is, and what its kills are called
   * @returns false when `isOver` said so before the moment came; the process lives on then
   */
  async killAt(moment: Moment, nth: number, isOver: () => boolean): Promise<boolean> {
    let isReached = false;
    void this.proxy.haltAt({ ...MOMENTS[moment], nth }).then(() => (isReached = true));
    while (!isReached && !isOver()) await sleep(5);
    if (isReached) await this.kill(moment);
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
    this.isToBeShot = true;
    let hasEnded = false;
    const ended = process.ended.then(() => (hasEnded = true));
    const acted = act();
    while (!hasEnded && !isOver()) await sleep(5);
    await trace.stop();
    // It may have come in the last moment.
    await Promise.race([ended, sleep(SETTLED_AFTER_MS)]);
    this.isToBeShot = false;
    if (hasEnded) {
      this.process = null;
      if ((await process.ended).signal === 'SIGKILL') this.countKill('fsync');
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
    const { name, kills, crashes } = this;
    return { name, kills, crashes, log: this.log.join(''), spoolDepth };
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
