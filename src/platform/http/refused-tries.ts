import { isIP, isIPv4 } from 'node:net';
import { Injectable } from '@nestjs/common';
import type { OnModuleDestroy } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../shared/domain-error.js';
import { AppLogger } from '../logging/app-logger.js';

/** What was asked for and not shown: the token of an operator, or the secret of the cloud functions. */
export type Credential = 'token' | 'secret';

/** Nobody mistypes a token twenty times a minute; many functions with one wrong secret may share an address. */
export const TRIES_PER_SOURCE_MAX: Record<Credential, number> = { token: 20, secret: 100 };
/** For guessing from many addresses; whoever has a valid token or the secret does not notice. */
export const TRIES_MAX = 300;
export const WINDOW_MS = 60_000;
/** What an attacker with many addresses can make this remember; sources beyond count towards the total only. */
const SOURCES_MAX = 1_000;
const IPV6_NETWORK_GROUPS = 4; // a /64, which one customer of a provider has as a whole

/**
 * Counts requests without a valid token or secret, and nothing else: a valid one passes from the same address at the
 * same moment, because all cloud functions may come from one. Kept in memory, so every replica has a budget of its own.
 */
@Injectable()
export class RefusedTries implements OnModuleDestroy {
  private bySource = new Map<string, number>();
  private byCredential: Record<Credential, number> = { token: 0, secret: 0 };
  private throttled = 0;
  private windowEndsMs = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly logger: AppLogger) {}

  onModuleDestroy(): void {
    this.closeWindow();
  }

  /** @throws DomainError `too_many_requests` when the budget is used up; otherwise the caller says what was wrong */
  note(sourceIp: string, credential: Credential): void {
    this.openWindow();
    const source = `${credential} ${networkOf(sourceIp)}`;
    const known = this.bySource.get(source) ?? 0;
    if (known > 0 || this.bySource.size < SOURCES_MAX) this.bySource.set(source, known + 1);
    this.byCredential[credential] += 1;
    if (known < TRIES_PER_SOURCE_MAX[credential] && this.total <= TRIES_MAX) return;
    this.throttled += 1;
    const leftMs = this.windowEndsMs - performance.now();
    throw new DomainError(
      'too_many_requests',
      'throttled',
      `Too many tries without a valid ${credential}: wait, or send a valid one.`,
      { retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1_000)) },
    );
  }

  private get total(): number {
    return this.byCredential.token + this.byCredential.secret;
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
    this.logger.warned('http.access_refused', {
      tokenTries: this.byCredential.token,
      secretTries: this.byCredential.secret,
      throttled: this.throttled,
      sources: new Set([...this.bySource.keys()].map((key) => key.split(' ')[1])).size,
      busiestSource: busiest?.[0].split(' ')[1],
      busiestTries: busiest?.[1],
      windowSeconds: WINDOW_MS / 1_000,
    });
    this.timer = undefined;
    this.bySource = new Map();
    this.byCredential = { token: 0, secret: 0 };
    this.throttled = 0;
  }
}

/** The caller's address. What a proxy passed on counts only when it is one: it goes into columns and log lines. */
export function sourceIpOf(request: FastifyRequest): string {
  return isIP(request.ip) === 0 ? (request.socket.remoteAddress ?? 'unknown') : request.ip;
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
