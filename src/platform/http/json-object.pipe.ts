import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { DomainError } from '../../shared/domain-error.js';
import { jsonDepthExceeds } from './json-shape.js';

/** Honest bodies are flat. Deep nesting overflows the stack of whatever walks it. */
const JSON_DEPTH_MAX = 8;

/** Bodies are JSON objects of modest depth. A pipe, so that the guards have asked for the secret before. */
export class JsonObjectPipe implements PipeTransform {
  transform(value: unknown, { type }: ArgumentMetadata): unknown {
    if (type !== 'body') return value;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new DomainError('invalid_request', 'invalid', 'The body must be a JSON object.');
    }
    if (jsonDepthExceeds(value, JSON_DEPTH_MAX)) {
      throw new DomainError(
        'invalid_request',
        'invalid',
        `The body is nested more than ${JSON_DEPTH_MAX} levels deep.`,
      );
    }
    return value;
  }
}
