/** What a caller can do about an error; the HTTP layer alone turns these into status codes. */
export type DomainErrorKind =
  'invalid' | 'unauthorized' | 'forbidden' | 'not_found' | 'conflict' | 'unavailable';

/** A refusal the caller is told about: `code` for programs, `message` for people, and nothing internal in either. */
export class DomainError extends Error {
  constructor(
    readonly code: string,
    readonly kind: DomainErrorKind,
    message: string,
  ) {
    super(message);
    this.name = 'DomainError';
  }
}
