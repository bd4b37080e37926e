import { ApiPropertyOptional } from '@nestjs/swagger';

/** What the contract says a field is. Documented only: whatever else comes is kept as far as it can be read. */
export function Hint(type: 'string' | 'integer', example?: unknown): PropertyDecorator {
  return ApiPropertyOptional({ type, example });
}
