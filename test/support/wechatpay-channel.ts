import type { AppLogger, LogFields } from '../../src/platform/logging/app-logger.js';
import { scrubError } from '../../src/platform/logging/scrub.js';
import { EnvReader } from '../../src/platform/config/env-reader.js';
import type { WechatpayConfig } from '../../src/platform/config/wechatpay-config.js';
import { readWechatpay } from '../../src/platform/config/wechatpay-config.js';
import { Clock } from '../../src/shared/clock.js';
import { WechatpayService } from '../../src/wechatpay/wechatpay.service.js';
import { WechatpayError } from '../../src/wechatpay/wechatpay.types.js';

/** The application's clock, showing the time of a simulator. */
export class FollowingClock extends Clock {
  constructor(private readonly followed: { nowMs(): number }) {
    super();
  }
  override now(): Date {
    return new Date(this.followed.nowMs());
  }
  override nowMs(): number {
    return this.followed.nowMs();
  }
}

export type LogLine = { level: 'info' | 'warned' | 'failed'; event: string; [field: string]: unknown };

/** Keeps what the log would say. */
export class LogKeeper {
  readonly lines: LogLine[] = [];

  info(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'info', event, ...fields });
  }
  warned(event: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'warned', event, ...fields });
  }
  failed(event: string, error: unknown, fields: LogFields = {}): void {
    this.lines.push({ level: 'failed', event, ...fields, error: scrubError(error) });
  }
}

export type Channel = { service: WechatpayService; config: WechatpayConfig; log: LogKeeper };

/** The channel as the application has it, with the variables a simulator gives; changes are those of a misconfiguration. */
export function openChannel(
  simulator: { env: Record<string, string>; clock: { nowMs(): number } },
  changes: Record<string, string> = {},
): Channel {
  const reader = new EnvReader({ ...simulator.env, ...changes });
  const config = readWechatpay(reader);
  if (!config) throw new Error(`the channel is not configured: ${reader.problems.join('; ')}`);
  const log = new LogKeeper();
  const clock = new FollowingClock(simulator.clock);
  return {
    config,
    log,
    service: new WechatpayService({ wechatpay: config }, clock, log as unknown as AppLogger),
  };
}

/** The WechatpayError of a call that must fail with one. */
export async function failureOf(call: Promise<unknown>): Promise<WechatpayError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof WechatpayError) return error;
    throw error;
  }
  throw new Error('the call should have failed');
}
