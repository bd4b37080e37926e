import { Inject, Injectable } from '@nestjs/common';
import type { LoggerService } from '@nestjs/common';
import { pino } from 'pino';
import { AppConfig } from '../config/app-config.js';
import { STANDARD_OUTPUT } from './log-sink.js';
import { scrubError, scrubText } from './scrub.js';

/** Plain values only: an object handed to a log line by mistake would take its secrets along. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/**
 * The structured log: one JSON line per event on standard output, times in UTC.
 * Events are named in the past tense (`payment.recorded_paid`) and carry ids, never bodies, openids or secrets.
 */
@Injectable()
export class AppLogger implements LoggerService {
  private readonly pino: pino.Logger;

  constructor(@Inject(AppConfig) config: Pick<AppConfig, 'logLevel'>) {
    const options = {
      level: config.logLevel,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'event',
    };
    this.pino = pino(options, STANDARD_OUTPUT);
  }

  /** Lines that standard output did not take, since the process began. */
  get linesDropped(): number {
    return STANDARD_OUTPUT.linesDropped;
  }

  info(event: string, fields: LogFields = {}): void {
    this.pino.info(fields, event);
  }

  warned(event: string, fields: LogFields = {}): void {
    this.pino.warn(fields, event);
  }

  failed(event: string, error: unknown, fields: LogFields = {}): void {
    this.pino.error({ ...fields, error: scrubError(error) }, event);
  }

  // What Nest itself reports. Its lines are about modules and routes; errors come through scrubbed.
  log(message: unknown, context?: unknown): void {
    this.fromNest('debug', message, context);
  }
  debug(message: unknown, context?: unknown): void {
    this.fromNest('debug', message, context);
  }
  verbose(message: unknown, context?: unknown): void {
    this.fromNest('debug', message, context);
  }
  warn(message: unknown, context?: unknown): void {
    this.fromNest('warn', message, context);
  }
  error(message: unknown, ...rest: unknown[]): void {
    this.fromNest('error', message, rest.at(-1));
  }
  fatal(message: unknown, ...rest: unknown[]): void {
    this.fromNest('fatal', message, rest.at(-1));
  }

  private fromNest(level: 'debug' | 'warn' | 'error' | 'fatal', message: unknown, context: unknown): void {
    const text = message instanceof Error ? scrubError(message).message : scrubText(String(message));
    this.pino[level](
      { context: typeof context === 'string' ? scrubText(context) : undefined, text },
      'nest.reported',
    );
  }
}
