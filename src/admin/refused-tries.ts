import { isIPv4 } from 'node:net';
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import { AppLogger } from '../platform/logging/app-logger.js';

/** Nobody mistypes a token twenty times a minute. */
export const TRIES_PER_SOURCE_MAX = 20;
/** For guessing from many addresses; whoever has a valid token does not notice. */
export const TRIES_MAX = 300;
export const WINDOW_MS = 60_000;
/** What an attacker with many addresses can make this remember; sources beyond count towards the total only. */
const SOURCES_MAX = 1_000;
const IPV6_NETWORK_GROUPS = 4; // a /64, which one customer of a provider has as a whole

/**
 * Counts requests without a valid token, and nothing else: a valid token passes from the same address at the same
 * moment. Kept in memory, so every replica has a budget of its own.
 */
@Injectable()
export class RefusedTries implements OnModuleDestroy {
  private bySource = new Map<string, number>();
  private total = 0;
  private throttled = 0;
  private windowEndsMs = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly logger: AppLogger) {}

  onModuleDestroy(): void {
    this.closeWindow();
  }

  /** @returns how many seconds to wait when the budget is used up, or null */
  note(sourceIp: string): number | null {
    this.openWindow();
    const source = networkOf(sourceIp);
    const known = this.bySource.get(source) ?? 0;
    if (known > 0 || this.bySource.size < SOURCES_MAX) this.bySource.set(source, known + 1);
    this.total += 1;
    if (known < TRIES_PER_SOURCE_MAX && this.total <= TRIES_MAX) return null;
    this.throttled += 1;
    return Math.max(1, Math.ceil((this.windowEndsMs - performance.now()) / 1_000));
  }

  private openWindow(): void {
    if (this.timer) return;
    this.windowEndsMs = performance.now() + WINDOW_MS;
    this.timer = setTimeout(() => this.closeWindow(), WINDOW_MS).unref();
  }

  /** One line for all refusals of a window, without what was tried. */
  private closeWindow(): void {
    if (!this.timer) return;
    clearTimeout(this.timer);
    const [busiest] = [...this.bySource].sort(([, a], [, b]) => b - a);
    this.logger.warned('admin.access_refused', {
      tries: this.total,
      throttled: this.throttled,
      sources: this.bySource.size,
      busiestSource: busiest?.[0],
      busiestTries: busiest?.[1],
      windowSeconds: WINDOW_MS / 1_000,
    });
    this.timer = undefined;
    this.bySource = new Map();
    this.total = 0;
    this.throttled = 0;
  }
}

/** An IPv4 address as it is, also one within IPv6; of an IPv6 address its network, because its owner has all of that. */
export function networkOf(ip: string): string {
  const mapped = /^::ffff:([\d.]+)$/i.exec(ip)?.[1] ?? ip;
  if (isIPv4(mapped)) return mapped;
  const [left = '', right] = mapped.replace(/%.*$/, '').split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === undefined || right === '' ? [] : right.split(':');
  const zeros = right === undefined ? 0 : Math.max(0, 8 - head.length - tail.length);
  const groups = [...head, ...Array.from({ length: zeros }, () => '0'), ...tail];
  const network = groups.slice(0, IPV6_NETWORK_GROUPS).map((group) => group.replace(/^0+(?=.)/, ''));
  return `${network.join(':')}::/64`.toLowerCase();
}
