import { ApiProperty } from '@nestjs/swagger';
import type { AuditRecord } from '../platform/audit/audit.types.js';
import { TextField, TimeField } from '../platform/http/fields.js';
import { PageQuery } from '../platform/http/listing.js';

export class AuditQuery extends PageQuery {
  @TextField({
    about: 'Who, with the prefix: exactly this.',
    lengthMax: 100,
    example: 'admin:anna',
    optional: true,
  })
  actor?: string;

  @TextField({ about: 'What: exactly this.', lengthMax: 100, example: 'admin_token.created', optional: true })
  action?: string;

  @TextField({ about: 'The kind of thing.', lengthMax: 50, example: 'admin_token', optional: true })
  targetType?: string;

  @TextField({
    about: 'The id of the thing: for a refund its own number, for an order its merchant number.',
    lengthMax: 100,
    optional: true,
  })
  targetId?: string;

  @TimeField({ about: 'Not before this.', optional: true })
  from?: Date;

  @TimeField({ about: 'Before this.', optional: true })
  to?: Date;
}

export class AuditView {
  @ApiProperty({ description: 'Grows with every entry.', example: '1042' })
  id!: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-27T00:00:00.000Z' })
  occurredAt!: string;

  @ApiProperty({
    description: '`admin:<name>`, `cli:<user>` or `system:<part>`.',
    example: 'admin:anna',
  })
  actor!: string;

  @ApiProperty({ example: 'admin_token.created' })
  action!: string;

  @ApiProperty({ example: 'admin_token' })
  targetType!: string;

  @ApiProperty({ example: 'token-1767225600000-0f1e2d3c4b5a' })
  targetId!: string;

  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  before!: Record<string, unknown> | null;

  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true })
  after!: Record<string, unknown> | null;

  @ApiProperty({ type: String, nullable: true })
  reason!: string | null;

  @ApiProperty({ type: String, nullable: true, description: 'The X-Request-Id of the request.' })
  requestId!: string | null;

  @ApiProperty({ type: String, nullable: true })
  sourceIp!: string | null;
}

export function toAuditView({ occurredAt, ...record }: AuditRecord): AuditView {
  return { ...record, occurredAt: occurredAt.toISOString() };
}
