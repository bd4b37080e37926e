import { DomainError } from '../../shared/domain-error.js';

/** What a position is made of: the columns of the order of a listing, as text. */
const PARTS = {
  /** A BIGINT key. */
  digits: /^\d{1,20}$/,
  /** A key that is text, or a number of the merchant. */
  key: /^[0-9A-Za-z_.:|*@-]{1,100}$/,
  /** An instant, UTC with milliseconds. */
  time: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/,
} as const;

export type CursorShape = Readonly<Record<string, keyof typeof PARTS>>;
export type PositionOf<Shape extends CursorShape> = { readonly [Part in keyof Shape]: string };

export const CURSOR_LENGTH_MAX = 500;

/**
 * Where a listing goes on, in a form that callers hand back and do not read. It is not signed: it says where to begin
 * and never what may be seen, and whatever it carries is checked as any other input.
 */
export class CursorCodec<Shape extends CursorShape> {
  /** @param listing of two listings none takes the other's cursor */
  constructor(
    private readonly listing: string,
    private readonly shape: Shape,
  ) {}

  encode(position: PositionOf<Shape>): string {
    const parts = Object.keys(this.shape).map((part) => position[part]);
    return Buffer.from(JSON.stringify([this.listing, ...parts])).toString('base64url');
  }

  /** @throws DomainError naming `cursor` when it is not one that this listing gave */
  decode(cursor: string | undefined): PositionOf<Shape> | null {
    if (cursor === undefined) return null;
    const [listing, ...values] = parse(cursor);
    const parts = Object.entries(this.shape);
    const position = Object.fromEntries(parts.map(([part], at) => [part, values[at]]));
    const isWhole = parts.every(([part, kind]) => isPart(position[part], kind));
    if (listing !== this.listing || values.length !== parts.length || !isWhole) throw invalidCursor();
    // Of the many ways to write the same bytes only ours counts.
    if (this.encode(position as PositionOf<Shape>) !== cursor) throw invalidCursor();
    return position as PositionOf<Shape>;
  }
}

function isPart(value: unknown, kind: keyof typeof PARTS): boolean {
  if (typeof value !== 'string' || !PARTS[kind].test(value)) return false;
  return kind !== 'time' || !Number.isNaN(Date.parse(value));
}

function parse(cursor: string): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw invalidCursor();
  }
  if (!Array.isArray(parsed)) throw invalidCursor();
  return parsed as unknown[];
}

function invalidCursor(): DomainError {
  return new DomainError(
    'invalid_request',
    'invalid',
    'cursor must be the nextCursor of an answer of this listing, unchanged',
  );
}
