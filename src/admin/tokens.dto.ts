import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, IntegerField, TextField } from '../platform/http/fields.js';
import { LOWEST_ROLE, PERMISSIONS, ROLES } from './permissions.js';
import type { Role } from './permissions.js';
import { TOKEN_DAYS_DEFAULT, TOKEN_DAYS_MAX, TOKEN_NAME_PATTERN } from './tokens.types.js';
import type { TokenRecord, TokenState } from './tokens.types.js';

const ABOUT_ROLES = `What it may. ${ROLES.map((role) => {
  const own = PERMISSIONS.filter((permission) => LOWEST_ROLE[permission] === role);
  return `${role}: ${own.join(', ')}`;
}).join('; ')}. Each role may also what the ones before it may.`;
const TOKEN_ID_EXAMPLE = 'token-1767225600000-0f1e2d3c4b5a';

export class TokenParams {
  @TextField({
    about: 'The id of the token.',
    lengthMax: 36,
    pattern: /^[0-9A-Za-z-]+$/,
    example: TOKEN_ID_EXAMPLE,
  })
  id!: string;
}

export class CreateTokenDto {
  @TextField({
    about: 'Who holds it; the audit log names them so.',
    lengthMax: 64,
    pattern: TOKEN_NAME_PATTERN,
    example: 'anna',
  })
  name!: string;

  @ChoiceField({ about: ABOUT_ROLES, of: ROLES, example: 'operator' })
  role!: Role;

  @IntegerField({
    about: 'After how many days it ends by itself.',
    min: 1,
    max: TOKEN_DAYS_MAX,
    fallback: TOKEN_DAYS_DEFAULT,
  })
  expiresInDays: number = TOKEN_DAYS_DEFAULT;
}

export class TokenView {
  @ApiProperty({ example: TOKEN_ID_EXAMPLE })
  id!: string;

  @ApiProperty({ example: 'anna' })
  name!: string;

  @ApiProperty({ enum: ROLES, example: 'operator' })
  role!: Role;

  @ApiProperty({ enum: ['live', 'expired', 'revoked'], example: 'live' })
  state!: TokenState;

  @ApiProperty({ example: 'admin:boss' })
  createdBy!: string;

  @ApiProperty({ format: 'date-time', example: '2026-01-27T00:00:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2026-04-27T00:00:00.000Z' })
  expiresAt!: string;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, description: 'To the minute.' })
  lastUsedAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  revokedAt!: string | null;

  @ApiProperty({ type: String, nullable: true })
  revokedBy!: string | null;
}

export class CreatedTokenView extends TokenView {
  @ApiProperty({
    description: 'The token itself, shown this once: only its hash is stored.',
    pattern: '^wxadm_[0-9A-Za-z_-]{43}$',
  })
  token!: string;
}

export function toTokenView(token: TokenRecord, state: TokenState): TokenView {
  return {
    id: token.id,
    name: token.name,
    role: token.role,
    state,
    createdBy: token.createdBy,
    createdAt: token.createdAt.toISOString(),
    expiresAt: token.expiresAt.toISOString(),
    lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
    revokedAt: token.revokedAt?.toISOString() ?? null,
    revokedBy: token.revokedBy,
  };
}
