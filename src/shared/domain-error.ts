/** What a caller can do about an error; the HTTP layer alone turns these into status codes. */
export type DomainErrorKind =
  'invalid' | 'unauthorized' | 'forbidden' | 'not_found' | 'conflict' | 'throttled' | 'unavailable';

/** A refusal the caller is told about: `code` for programs, `message` for people, and nothing internal in either. */
export class DomainError extends Error {
  /** When another try makes sense, for refusals that pass by themselves. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: string,
    readonly kind: DomainErrorKind,
    message: string,
    hints: { readonly retryAfterSeconds?: number } = {},
  ) {
    super(message);
    this.name = 'DomainError';
    this.retryAfterSeconds = hints.retryAfterSeconds;
  }
}
