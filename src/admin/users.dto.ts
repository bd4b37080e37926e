import { ApiProperty } from '@nestjs/swagger';
import { TextField } from '../platform/http/fields.js';
import { PHONE_PATTERN } from '../users/users.types.js';
import type { UserProfile } from '../users/users.types.js';

const PACKAGES = ['free', 'basic', 'premium'];

export class UserParams {
  @TextField({
    about: 'The id of the user.',
    lengthMax: 36,
    pattern: /^[0-9A-Za-z_.:-]+$/,
    example: 'user-1706345678901-xyz789',
  })
  id!: string;
}

export class SearchUsersDto {
  @TextField({
    about: 'Exactly this openid, also by case. Either this or `phone`.',
    lengthMax: 100,
    pattern: /^[!-~]+$/,
    optional: true,
  })
  openid?: string;

  @TextField({
    about: 'This number, with or without +86. Either this or `openid`.',
    lengthMax: 16,
    pattern: PHONE_PATTERN,
    example: '13812345678',
    optional: true,
  })
  phone?: string;
}

export class ChangeUserDto {
  @TextField({ about: 'The name shown.', lengthMax: 100, optional: true })
  nickname?: string;

  @TextField({
    about: 'Where the picture is: https only.',
    lengthMax: 2_000,
    pattern: /^https:\/\/[0-9A-Za-z.-]+(:\d{1,5})?(\/[!-~]*)?$/,
    example: 'https://example.com/avatar.png',
    optional: true,
  })
  avatarUrl?: string;

  @TextField({
    about: 'A mobile number of the mainland, or an international one with its +; null clears it.',
    lengthMax: 16,
    pattern: PHONE_PATTERN,
    example: '13812345678',
    optional: true,
    nullable: true,
  })
  phone?: string | null;
}

export class UserView {
  @ApiProperty({ example: 'user-1706345678901-xyz789' })
  id!: string;

  @ApiProperty({ type: String, nullable: true, example: 'oABC…x456', description: 'Masked.' })
  openid!: string | null;

  @ApiProperty({ type: String, nullable: true, example: '138****1234', description: 'Masked.' })
  phone!: string | null;

  @ApiProperty({ type: String, nullable: true })
  nickname!: string | null;

  @ApiProperty({ type: String, nullable: true })
  avatarUrl!: string | null;

  @ApiProperty({ enum: PACKAGES })
  paymentStatus!: string;

  @ApiProperty({ type: 'integer', example: 23 })
  regenerateCount!: number;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  createdAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true })
  lastLoginAt!: string | null;
}

export class FoundUsersView {
  @ApiProperty({ type: [UserView], description: 'None, one, or, of a phone number, the first 50.' })
  users!: UserView[];
}

export function toUserView({ createdAt, lastLoginAt, ...profile }: UserProfile): UserView {
  return {
    ...profile,
    createdAt: createdAt?.toISOString() ?? null,
    lastLoginAt: lastLoginAt?.toISOString() ?? null,
  };
}
