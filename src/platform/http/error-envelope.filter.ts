import { Catch, HttpException } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../../shared/domain-error.js';
import type { DomainErrorKind } from '../../shared/domain-error.js';
import { DatabaseAvailability } from '../database/database-availability.js';
import { databaseUnavailable, isDatabaseUnavailable, isLockWaitTimeout } from '../database/database-error.js';
import { ErrorLogService } from '../logging/error-log.service.js';

const STATUS_BY_KIND: Record<DomainErrorKind, number> = {
  invalid: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  throttled: 429,
  unavailable: 503,
};

/** What the framework's own refusals are called towards callers, and what to do about them. */
const WORDS_BY_STATUS: Record<number, readonly [string, string]> = {
  400: ['invalid_request', 'The request could not be read: send a JSON object.'],
  404: ['not_found', 'There is nothing at this address with this method.'],
  405: ['method_not_allowed', 'There is nothing at this address with this method.'],
  408: ['request_timeout', 'The request took too long to arrive.'],
  413: ['payload_too_large', 'The body is too large: at most 16 KB.'],
  415: ['unsupported_media_type', 'Send Content-Type: application/json, uncompressed.'],
  429: ['too_many_requests', 'Too many requests: try again later.'],
};

const RETRY_AFTER_SECONDS = 5;
const BUSY = {
  error: 'busy',
  message: 'Something else is at work on the same just now; nothing was changed. Try again in a few seconds.',
};

type Words = { readonly error: string; readonly message: string };
type Refusal = Words & { readonly status: number; readonly retryAfterSeconds?: number };

/** Turns every error into the one envelope `{ success: false, error, message }`. The only place that knows HTTP statuses of errors. */
@Catch()
export class ErrorEnvelopeFilter implements ExceptionFilter {
  constructor(
    private readonly errors: ErrorLogService,
    private readonly availability: DatabaseAvailability,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    const { status, retryAfterSeconds, ...words } = this.toRefusal(error, request);
    const waitSeconds = retryAfterSeconds ?? (status === 503 ? RETRY_AFTER_SECONDS : undefined);
    if (waitSeconds !== undefined) void reply.header('Retry-After', String(waitSeconds));
    // A route may have to speak another language towards those who call it.
    const { toErrorBody } = (request.routeOptions?.config ?? {}) as {
      toErrorBody?: (refusal: Words) => unknown;
    };
    void reply.status(status).send(toErrorBody ? toErrorBody(words) : { success: false, ...words });
  }

  private toRefusal(error: unknown, request: FastifyRequest): Refusal {
    if (error instanceof DomainError) {
      const { code, kind, message, retryAfterSeconds } = error;
      return { status: STATUS_BY_KIND[kind], error: code, message, retryAfterSeconds };
    }
    const status = statusOf(error);
    const words = WORDS_BY_STATUS[status];
    if (words) return { status, error: words[0], message: words[1] };
    if (status >= 400 && status < 500) {
      return { status, error: 'invalid_request', message: 'The request was refused.' };
    }
    if (isDatabaseUnavailable(error)) {
      this.availability.reportFailure(error);
      return this.toRefusal(databaseUnavailable(), request);
    }
    if (isLockWaitTimeout(error)) return { status: 503, ...BUSY };
    this.errors.record('http.failed', error, { requestId: request.id, route: request.routeOptions?.url });
    return {
      status: 500,
      error: 'internal_error',
      message: `Something failed here; tell us the id ${request.id}.`,
    };
  }
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const { statusCode } = (error ?? {}) as { statusCode?: unknown };
  return typeof statusCode === 'number' ? statusCode : 500;
}
