import { findKey } from './keys.ts';
import type { PlatformKey, SimulatorKeys } from './keys.ts';
import { post } from './http-post.ts';
import type { PostResult } from './http-post.ts';
import { makeNoticeId, noticeHeaders, toNoticeBody } from './notice.ts';
import type { EventType, NoticeContent } from './notice.ts';
import type { NoticePlan } from './settings.ts';
import { asProbe, signBody } from './signing.ts';
import type { World } from './world.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How long after each failed attempt the next one follows; after the last there is none. */
export const RETRY_GAPS_MS: readonly number[] = [
  ...[15 * SECOND_MS, 15 * SECOND_MS, 30 * SECOND_MS, 3 * MINUTE_MS, 10 * MINUTE_MS],
  ...[20 * MINUTE_MS, 30 * MINUTE_MS, 30 * MINUTE_MS, 30 * MINUTE_MS, 60 * MINUTE_MS],
  ...[3 * HOUR_MS, 3 * HOUR_MS, 3 * HOUR_MS, 6 * HOUR_MS, 6 * HOUR_MS],
];

/** One attempt to deliver one notice, and what the merchant made of it. */
export type Delivery = PostResult & {
  readonly noticeId: string;
  readonly eventType: EventType;
  readonly subject: string;
  readonly url: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly atMs: number;
  readonly serial: string;
  readonly isProbe: boolean;
  /** By the status alone; a probe is never delivered, whatever is answered. */
  readonly isDelivered: boolean;
};

type Notice = {
  readonly id: string;
  readonly eventType: EventType;
  readonly subject: string;
  readonly url: string;
  readonly body: Buffer;
};

type Waiting = {
  readonly notice: Notice;
  readonly attempt: number;
  readonly isProbe: boolean;
  dueMs: number;
};

/** Tells the merchant what happened, again and again until it answers as it should or the schedule ends. */
export class Notifier {
  readonly deliveries: Delivery[] = [];
  private readonly world: World;
  private readonly keys: SimulatorKeys;
  private readonly atOnceMax: number;
  private waiting: Waiting[] = [];
  private readonly sent = new Map<string, Notice>();
  private isHeld = false;
  private last: Promise<void> = Promise.resolve();

  /** @param atOnceMax how many are posted at a time; one keeps the order of the attempts certain */
  constructor(world: World, keys: SimulatorKeys, atOnceMax: number) {
    this.world = world;
    this.keys = keys;
    this.atOnceMax = atOnceMax;
  }

  /** How many deliveries are still to come, retries of failed ones included. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  announce(content: NoticeContent, url: string, plan: NoticePlan): void {
    const nowMs = this.world.clock.nowMs();
    const dueMs = nowMs + plan.delayMs;
    let notice = this.make(content, url);
    for (let copy = 0; copy < plan.copies; copy += 1) {
      if (copy > 0 && plan.hasOwnIds) notice = this.make(content, url);
      this.sent.set(notice.id, notice);
      this.enqueue({ notice, attempt: 1, isProbe: plan.probeFirst, dueMs });
    }
  }

  /** Sends every notice about this order or refund once more, also those that were delivered. */
  redeliver(subject: string): void {
    const notices = [...this.sent.values()].filter((notice) => notice.subject === subject);
    if (notices.length === 0) throw new Error(`there is no notice about ${subject}`);
    const dueMs = this.world.clock.nowMs();
    for (const notice of notices) this.enqueue({ notice, attempt: 1, isProbe: false, dueMs });
  }

  /** Keeps everything back until `release`. */
  hold(): void {
    this.isHeld = true;
  }

  /** Lets go what was kept back, all of it due now, in the order it was made in or the other way round. */
  release(order: 'as-made' | 'reversed' = 'as-made'): void {
    this.isHeld = false;
    const nowMs = this.world.clock.nowMs();
    const due = this.waiting.filter(({ dueMs }) => dueMs <= nowMs);
    for (const item of due) item.dueMs = nowMs;
    if (order === 'as-made') return;
    this.waiting = [...due.reverse(), ...this.waiting.filter((item) => !due.includes(item))];
  }

  nextDueMs(): number | null {
    return this.isHeld ? null : (this.waiting[0]?.dueMs ?? null);
  }

  /** Makes every attempt that is due, and resolves when all have been answered. */
  async deliverDue(): Promise<void> {
    this.last = this.last.then(() => this.deliverAllDue());
    return this.last;
  }

  private async deliverAllDue(): Promise<void> {
    for (let batch = this.takeDue(); batch.length > 0; batch = this.takeDue()) {
      await Promise.all(batch.map((item) => this.attempt(item)));
    }
  }

  private takeDue(): Waiting[] {
    const nowMs = this.world.clock.nowMs();
    const due = this.isHeld ? [] : this.waiting.filter(({ dueMs }) => dueMs <= nowMs);
    const batch = due.slice(0, this.atOnceMax);
    this.waiting = this.waiting.filter((item) => !batch.includes(item));
    return batch;
  }

  private async attempt({ notice, attempt, isProbe }: Waiting): Promise<void> {
    const atMs = this.world.clock.nowMs();
    const key = this.chooseKey(attempt);
    // Signed anew each time: a retry hours later is as fresh as the first attempt.
    const signed = signBody(notice.body, { key, atMs });
    const headers = { ...noticeHeaders(), ...(isProbe ? asProbe(signed) : signed) };
    const result = await post(notice.url, { headers, body: notice.body });
    const isDelivered = !isProbe && (result.status === 200 || result.status === 204);
    const { id: noticeId, eventType, subject, url } = notice;
    const what = { noticeId, eventType, subject, url, attempt, atMs, serial: key.serial };
    this.deliveries.push({ ...what, ...result, isProbe, isDelivered });
    const gapMs = RETRY_GAPS_MS[attempt - 1];
    if (isDelivered || gapMs === undefined) return;
    this.enqueue({ notice, attempt: attempt + 1, isProbe: false, dueMs: atMs + gapMs });
  }

  private make(content: NoticeContent, url: string): Notice {
    const id = makeNoticeId(this.world.clock.nowMs());
    const body = toNoticeBody(content, { id, apiv3Key: this.world.merchant.apiv3Key });
    return { id, eventType: content.eventType, subject: content.subject, url, body };
  }

  private chooseKey(attempt: number): PlatformKey {
    const { platform } = this.keys;
    const { noticesSignedBy } = this.world.settings;
    if (noticesSignedBy === 'alternate') return platform[(attempt - 1) % platform.length] ?? platform[0];
    return findKey(this.keys, noticesSignedBy) ?? platform[0];
  }

  private enqueue(item: Waiting): void {
    const at = this.waiting.findLastIndex(({ dueMs }) => dueMs <= item.dueMs) + 1;
    this.waiting.splice(at, 0, item);
  }
}
