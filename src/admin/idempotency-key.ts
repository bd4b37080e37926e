import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../shared/domain-error.js';

/** Long enough that nobody takes one by accident, and short enough for the columns that keep it. */
const KEY_PATTERN = /^[0-9A-Za-z_-]{8,64}$/;

/** The `Idempotency-Key` header: the same key with the same content has the effect of one request. */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const key = context.switchToHttp().getRequest<FastifyRequest>().headers['idempotency-key'];
  if (typeof key === 'string' && KEY_PATTERN.test(key)) return key;
  throw new DomainError(
    'invalid_request',
    'invalid',
    'Idempotency-Key must be a header of 8 to 64 letters, digits, "-" and "_": a new one for each thing you want, the same one to try again',
  );
});
