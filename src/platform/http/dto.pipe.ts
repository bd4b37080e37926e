import { ValidationPipe } from '@nestjs/common';
import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { DomainError } from '../../shared/domain-error.js';

const TOLERANT = Symbol('tolerates unknown fields');
const MESSAGE_LENGTH_MAX = 500;

/**
 * For bodies of callers that nobody redeploys for us: fields that are not known are let through. Everywhere else
 * they are refused, because a misspelled field of an operator would be silently without effect.
 */
export function ToleratesUnknownFields(): ClassDecorator {
  return (target) => Reflect.defineMetadata(TOLERANT, true, target);
}

/** Makes DTOs of bodies, queries and parameters, or a 400 that names the field. */
export class DtoPipe implements PipeTransform {
  private readonly tolerant = new ValidationPipe({ transform: true, exceptionFactory: toDomainError });
  private readonly strict = new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    stopAtFirstError: true,
    exceptionFactory: toDomainError,
  });

  async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    if (metadata.type === 'query') refuseRepeatedKeys(value, metadata.data);
    const isTolerant = metadata.metatype && Reflect.hasMetadata(TOLERANT, metadata.metatype);
    return (isTolerant ? this.tolerant : this.strict).transform(value, metadata) as Promise<unknown>;
  }
}

/** Which of two values counts would depend on the reader. */
function refuseRepeatedKeys(query: unknown, key: string | undefined): void {
  const entries = key === undefined ? Object.entries(query ?? {}) : [[key, query] as const];
  const repeated = entries.find(([, value]) => Array.isArray(value));
  if (repeated) throw invalid(`${repeated[0]} may stand in the address only once`);
}

function toDomainError(errors: ValidationError[]): DomainError {
  return invalid(errors.flatMap(messagesOf).join('; ') || 'The request is not valid.');
}

/** Also of fields within fields. */
function messagesOf(error: ValidationError): string[] {
  const inner = (error.children ?? []).flatMap(messagesOf);
  return [
    ...Object.entries(error.constraints ?? {}).map(([rule, message]) =>
      rule === 'whitelistValidation' ? `${error.property} is not known here` : message,
    ),
    ...inner.map((message) => `${error.property}.${message}`),
  ];
}

function invalid(message: string): DomainError {
  return new DomainError('invalid_request', 'invalid', message.slice(0, MESSAGE_LENGTH_MAX));
}
