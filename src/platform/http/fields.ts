import { applyDecorators } from '@nestjs/common';
import { ApiProperty } from '@nestjs/swagger';
import type { ApiPropertyOptions } from '@nestjs/swagger';
import { Transform } from 'class-transformer';
import {
  IsBoolean,
  IsDate,
  IsIn,
  IsInt,
  IsString,
  Matches,
  Max,
  Min,
  ValidateBy,
  ValidateIf,
} from 'class-validator';
import type { Money } from '../../shared/money.js';

/*
 * Fields of the bodies, queries and path parameters of the admin API. One decorator says what is accepted and what the
 * OpenAPI document tells of it, so the two cannot differ.
 */

type FieldOptions = {
  readonly about: string;
  readonly example?: unknown;
  /** May be left out; null is refused all the same. */
  readonly optional?: boolean;
  /** Null means something here: it clears what is there. */
  readonly nullable?: boolean;
  /** What is taken where an optional field is left out: told here, set where the class declares the field. */
  readonly fallback?: unknown;
};

const YUAN_PATTERN = /^(0|[1-9]\d{0,7})(\.\d{1,2})?$/;
/** Databases and file names write a year with four digits, in every zone; a TIMESTAMP has none before 1970. */
const YEAR_MIN = 1970;
const YEAR_MAX = 9998;
const TIME_PATTERN = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$/;

export function TextField(
  options: FieldOptions & {
    readonly lengthMax: number;
    readonly lengthMin?: number;
    readonly pattern?: RegExp;
    /** What the pattern asks for, in words: `a day like 2026-01-27`. */
    readonly form?: string;
  },
): PropertyDecorator {
  const { lengthMax, lengthMin = 1, pattern, form } = options;
  const isNotSo = form ? `must be ${form}` : 'has characters or a form that is not allowed';
  return field(
    options,
    { type: String, minLength: lengthMin, maxLength: lengthMax, pattern: pattern?.source },
    [
      ...(pattern ? [Matches(pattern, { message: `$property ${isNotSo}` })] : []),
      IsTextOfLength(lengthMin, lengthMax),
    ],
  );
}

export function ChoiceField(options: FieldOptions & { readonly of: readonly string[] }): PropertyDecorator {
  const choices = [...options.of];
  return field(options, { type: String, enum: choices }, [
    IsIn(choices, { message: `$property must be one of ${choices.join(', ')}` }),
  ]);
}

/** In a body a JSON number, in an address its digits. */
export function IntegerField(
  options: FieldOptions & { readonly min: number; readonly max: number; readonly fallback?: number },
): PropertyDecorator {
  const { min, max, fallback } = options;
  return field(
    { ...options, optional: options.optional || fallback !== undefined },
    { type: 'integer', minimum: min, maximum: max },
    [Max(max), Min(min), IsInt(), Transform(({ value }: { value: unknown }) => wholeNumber(value))],
  );
}

export function BooleanField(options: FieldOptions): PropertyDecorator {
  return field(options, { type: Boolean }, [
    IsBoolean(),
    Transform(({ value }: { value: unknown }) =>
      value === 'true' ? true : value === 'false' ? false : value,
    ),
  ]);
}

/** An amount in yuan as text, "29.90": never a JSON number, which is a float. `Money.ofYuan` reads it. */
export function YuanField(options: FieldOptions): PropertyDecorator {
  return field({ example: '29.90', ...options }, { type: String, pattern: YUAN_PATTERN.source }, [
    Matches(YUAN_PATTERN, { message: '$property must be yuan as text, for example "29.90"' }),
    IsString({ message: '$property must be yuan as text, for example "29.90"' }),
  ]);
}

/** An instant with its zone, which becomes a Date. */
export function TimeField(options: FieldOptions): PropertyDecorator {
  return field({ example: '2026-01-27T00:00:00+08:00', ...options }, { type: String, format: 'date-time' }, [
    IsDate({
      message: `$property must be a time that exists, of the years ${YEAR_MIN} to ${YEAR_MAX}, with its zone, as 2026-01-27T08:00:00+08:00`,
    }),
    Transform(({ value }: { value: unknown }) => instant(value)),
  ]);
}

/** An amount in answers: whole fen for programs, yuan as text for people. */
export function amountView(amount: Money): { amountFen: number; amount: string } {
  return { amountFen: amount.fen, amount: amount.toYuan() };
}

function field(
  { about, example, optional = false, nullable = false, fallback }: FieldOptions,
  schema: Record<string, unknown>,
  rules: readonly PropertyDecorator[],
): PropertyDecorator {
  const documented = {
    ...schema,
    description: about,
    example,
    required: !optional,
    ...(nullable && { nullable }),
    ...(fallback !== undefined && { default: fallback }),
  } as ApiPropertyOptions;
  const isChecked = ValidateIf(
    (_, value) => !(optional && value === undefined) && !(nullable && value === null),
  );
  return applyDecorators(...rules, ...(optional || nullable ? [isChecked] : []), ApiProperty(documented));
}

/**
 * Counts characters as the columns do. class-validator's own Length does not count what makes a heart red, and lets through
 * twice what a column takes. Half of a character is refused because a JSON column refuses it.
 */
function IsTextOfLength(min: number, max: number): PropertyDecorator {
  return ValidateBy({
    name: 'isTextOfLength',
    validator: {
      validate: (value: unknown) =>
        typeof value === 'string' && value.isWellFormed() && isBetween([...value].length, min, max),
      defaultMessage: () => `$property must be text of ${min} to ${max} characters`,
    },
  });
}

function isBetween(count: number, min: number, max: number): boolean {
  return count >= min && count <= max;
}

function wholeNumber(value: unknown): unknown {
  return typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
}

/** A plus that was written into an address as it is arrives as a space, and can have been nothing else. */
const PLUS_LOST = / (?=\d\d:\d\d$)/;

function instant(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  const value = given.replace(PLUS_LOST, '+');
  if (!TIME_PATTERN.test(value)) return given;
  const time = new Date(value);
  // JavaScript turns the 30th of February into a day of March.
  const isReal = !Number.isNaN(time.getTime()) && isDayOfMonth(value);
  const year = time.getUTCFullYear();
  return isReal && year >= YEAR_MIN && year <= YEAR_MAX ? time : given;
}

function isDayOfMonth(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.slice(0, 10).split('-').map(Number);
  return day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
