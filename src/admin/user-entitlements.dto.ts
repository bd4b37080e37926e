import { ApiProperty } from '@nestjs/swagger';
import { ChoiceField, IntegerField, TextField } from '../platform/http/fields.js';
import type { EntitlementChange, LedgerLine, PackageType } from '../users/entitlements.types.js';

const PACKAGES: readonly PackageType[] = ['free', 'basic', 'premium'];
/** Fifty premium packages' worth: more is a slip of the finger. */
const CREDITS_MAX = 1_000;
const REASON_LENGTH_MAX = 500;

export class GrantDto {
  @ChoiceField({ about: 'The package; `free` gives credits only.', of: PACKAGES, example: 'premium' })
  packageType!: PackageType;

  @IntegerField({ about: 'How many credits to add.', min: 0, max: CREDITS_MAX, example: 20 })
  regenerateCredits!: number;

  @TextField({ about: 'Why.', lengthMax: REASON_LENGTH_MAX, example: 'the first delivery failed' })
  reason!: string;
}

export class RevokeDto {
  @TextField({
    about: 'The `outTradeNo` of the grant in the ledger.',
    lengthMax: 100,
    pattern: /^[0-9A-Za-z_\-|*@:]+$/,
    example: 'manual:5b1f6c1e-8f0e',
  })
  outTradeNo!: string;

  @TextField({ about: 'Why.', lengthMax: REASON_LENGTH_MAX })
  reason!: string;
}

export class LedgerLineView {
  @ApiProperty({ example: '1042' })
  id!: string;

  @ApiProperty({ description: "The order's number, or `manual:` and the key of a grant by hand." })
  outTradeNo!: string;

  @ApiProperty({ enum: ['grant', 'revocation'] })
  entry!: string;

  @ApiProperty({ enum: PACKAGES })
  packageType!: PackageType;

  @ApiProperty({ type: 'integer', description: 'What it changed the credits by.', example: 20 })
  regenerateDelta!: number;

  @ApiProperty({ enum: ['payment', 'fulfilled_earlier', 'manual'] })
  origin!: string;

  @ApiProperty({ type: String, nullable: true })
  reason!: string | null;

  @ApiProperty({ example: 'system:notify' })
  by!: string;

  @ApiProperty({ format: 'date-time' })
  at!: string;
}

export class UserEntitlementsView {
  @ApiProperty({ enum: PACKAGES, description: 'What the user has now.' })
  packageType!: PackageType;

  @ApiProperty({ type: 'integer', example: 23 })
  regenerateCount!: number;

  @ApiProperty({
    type: LedgerLineView,
    nullable: true,
    description: 'The grant that makes the package; null when the user is free, or has it from elsewhere.',
  })
  madeBy!: LedgerLineView | null;

  @ApiProperty({ type: [LedgerLineView], description: 'The newest first.' })
  lines!: LedgerLineView[];

  @ApiProperty({ type: String, nullable: true, description: 'For the next page, as `cursor`.' })
  nextCursor!: string | null;
}

export class EntitlementChangeView {
  @ApiProperty({ type: LedgerLineView })
  line!: LedgerLineView;

  @ApiProperty({ enum: PACKAGES, description: 'What the user has now.' })
  packageType!: PackageType;

  @ApiProperty({ type: 'integer', example: 23 })
  regenerateCount!: number;
}

export function toLedgerLineView(line: LedgerLine): LedgerLineView {
  const { id, outTradeNo, entry, packageType, regenerateDelta, origin, reason, by, at } = line;
  return { id, outTradeNo, entry, packageType, regenerateDelta, origin, reason, by, at: at.toISOString() };
}

export function toEntitlementChangeView({ line, now }: EntitlementChange): EntitlementChangeView {
  return {
    line: toLedgerLineView(line),
    packageType: now.packageType,
    regenerateCount: now.credits,
  };
}
