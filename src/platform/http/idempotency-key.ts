import { createParamDecorator } from '@nestjs/common';
import type { ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { DomainError } from '../../shared/domain-error.js';

/** What fits a column and a log line; a UUID does. */
const KEY_PATTERN = /^[0-9A-Za-z_.:-]{1,64}$/;

export const IDEMPOTENCY_KEY_HEADER = {
  name: 'Idempotency-Key',
  description:
    'Chosen by the caller, new for each intent and the same in every repetition: 1 to 64 letters, digits, _ . : -',
  required: true,
  schema: { type: 'string', pattern: KEY_PATTERN.source },
} as const;

/** What makes a repeated request the same one. @throws DomainError when it is missing, repeated or of another form */
export const IdempotencyKey = createParamDecorator((_: unknown, context: ExecutionContext): string => {
  const request = context.switchToHttp().getRequest<FastifyRequest>();
  const [key, ...others] = request.raw.headersDistinct['idempotency-key'] ?? [];
  if (key !== undefined && others.length === 0 && KEY_PATTERN.test(key)) return key;
  throw new DomainError(
    'invalid_request',
    'invalid',
    'Send one Idempotency-Key header of 1 to 64 letters, digits, _ . : - and the same one when you repeat the request.',
  );
});
