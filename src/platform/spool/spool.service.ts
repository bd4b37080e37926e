import { Worker } from 'node:worker_threads';
import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import { DeadlineExceeded, withDeadline } from '../../shared/deadline.js';
import { DomainError } from '../../shared/domain-error.js';
import { AppConfig } from '../config/app-config.js';
import { AppLogger } from '../logging/app-logger.js';
import { scrubError } from '../logging/scrub.js';
import type {
  SpoolNotice,
  SpoolOperation,
  SpoolRecord,
  SpoolReply,
  SpoolStats,
  SpoolWorkerData,
  StoredSpoolRecord,
} from './spool-protocol.js';

/** Callers give up after 5 s; together with the deadline on MySQL this leaves them an honest answer in time. */
const APPEND_DEADLINE_MS = 2_500;
const OPERATION_DEADLINE_MS = 10_000;
/** More than this waiting for one disk is overload: refusing early keeps the answers of the rest in time. */
const WAITING_MAX = 10_000;
const RESTART_PAUSE_MS = 1_000;

/** The disk, and not the database: that one may be as well as ever. */
class SpoolUnanswered extends Error {
  readonly code = 'SPOOL_UNANSWERED';
}

type Waiting = { resolve: (result: unknown) => void; reject: (error: Error) => void };

/** The worker beside this file: compiled in production, stripped of its types in tests. */
const WORKER_URL = new URL(
  import.meta.url.endsWith('.ts') ? './spool-worker.ts' : './spool-worker.js',
  import.meta.url,
);

/** Keeps messages on the local disk while MySQL is away. A message is there when `append` resolved: it was synced to the disk. */
@Injectable()
export class SpoolService implements OnModuleInit, OnApplicationShutdown {
  private worker: Worker | null = null;
  private closing = false;
  private nextId = 1;
  private readonly waiting = new Map<number, Waiting>();

  constructor(
    private readonly config: AppConfig,
    private readonly logger: AppLogger,
  ) {}

  /** A spool that cannot be opened does not stop the boot: with MySQL there, nothing needs it. */
  async onModuleInit(): Promise<void> {
    this.startWorker();
    try {
      const { depth, setAside } = await this.stats();
      this.logger.info('spool.opened', { depth, setAside });
    } catch (error) {
      this.logger.failed('spool.not_opened', error);
    }
  }

  async onApplicationShutdown(): Promise<void> {
    this.closing = true;
    await this.ask({ op: 'close' }, OPERATION_DEADLINE_MS).catch((error: unknown) => {
      this.logger.failed('spool.not_closed', error);
    });
    await this.worker?.terminate();
  }

  /** @throws DomainError `storage_unavailable` when the disk is full, failing or too slow: nothing may be claimed then */
  async append(record: SpoolRecord): Promise<void> {
    try {
      await this.ask({ op: 'append', record }, APPEND_DEADLINE_MS);
    } catch (error) {
      const { code, message } = scrubError(error);
      this.logger.warned('spool.append_failed', { code, reason: message });
      throw new DomainError(
        'storage_unavailable',
        'unavailable',
        'The message could not be stored; send it again.',
      );
    }
  }

  async read(afterSeq: number, limit: number): Promise<StoredSpoolRecord[]> {
    return (await this.ask({ op: 'read', afterSeq, limit }, OPERATION_DEADLINE_MS)) as StoredSpoolRecord[];
  }

  /** For records that were read back from MySQL, and no others. */
  async remove(seqs: readonly number[]): Promise<void> {
    await this.ask({ op: 'remove', seqs }, OPERATION_DEADLINE_MS);
  }

  /** Keeps a record that MySQL refuses, so that those behind it move on. */
  async setAside(seq: number, reason: string): Promise<void> {
    await this.ask({ op: 'setAside', seq, reason }, OPERATION_DEADLINE_MS);
  }

  async stats(): Promise<SpoolStats> {
    return (await this.ask({ op: 'stats' }, OPERATION_DEADLINE_MS)) as SpoolStats;
  }

  private ask(operation: SpoolOperation, deadlineMs: number): Promise<unknown> {
    const { worker } = this;
    if (!worker) return Promise.reject(new Error('the spool thread is not running'));
    if (this.waiting.size >= WAITING_MAX)
      return Promise.reject(new Error('too many messages wait for the disk'));
    const id = this.nextId++;
    const answered = new Promise<unknown>((resolve, reject) => this.waiting.set(id, { resolve, reject }));
    worker.postMessage({ ...operation, id });
    return withDeadline('the spool', deadlineMs, answered).catch((error: unknown) => {
      throw error instanceof DeadlineExceeded ? new SpoolUnanswered(error.message) : error;
    });
  }

  private startWorker(): void {
    const workerData: SpoolWorkerData = {
      dir: this.config.spool.dir,
      sizeMbMax: this.config.spool.sizeMbMax,
    };
    const worker = new Worker(WORKER_URL, { workerData });
    worker.on('message', (message: SpoolReply | SpoolNotice) => this.receive(message));
    worker.on('error', (error) => this.logger.failed('spool.thread_failed', error));
    worker.on('exit', () => this.restartWorker());
    this.worker = worker;
  }

  private receive(message: SpoolReply | SpoolNotice): void {
    if ('notice' in message) {
      this.logger.warned(message.notice, { detail: message.detail });
      return;
    }
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.ok) waiting?.resolve(message.result);
    else waiting?.reject(Object.assign(new Error(message.message), { code: message.code }));
  }

  private restartWorker(): void {
    this.worker = null;
    for (const { reject } of this.waiting.values()) reject(new Error('the spool thread ended'));
    this.waiting.clear();
    if (this.closing) return;
    setTimeout(() => !this.closing && this.startWorker(), RESTART_PAUSE_MS).unref();
  }
}
