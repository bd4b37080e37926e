import { createHash, randomBytes } from 'node:crypto';

/** Found by secret scanners, and told apart from every other secret by people. */
const PREFIX = 'wxadm_';
/** 256 bits: guessing is hopeless, so one fast hash without salt is enough to store it. */
const RANDOM_BYTES = 32;

const TOKEN_PATTERN = /^wxadm_[0-9A-Za-z_-]{43}$/;
const BEARER_PATTERN = /^Bearer +(\S+)$/i;

export function newToken(): string {
  return PREFIX + randomBytes(RANDOM_BYTES).toString('base64url');
}

/** What is stored and looked up instead of the token. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/** The token of the Authorization headers of a request: exactly one header with exactly one well-formed token, or null. */
export function bearerToken(authorizations: readonly string[]): string | null {
  const [only, ...more] = authorizations;
  if (only === undefined || more.length > 0) return null;
  const token = BEARER_PATTERN.exec(only)?.[1] ?? '';
  return TOKEN_PATTERN.test(token) ? token : null;
}

/** True when one of the headers is about a token at all, well-formed or not. */
export function namesBearer(authorizations: readonly string[]): boolean {
  return authorizations.some((authorization) => /^\s*Bearer\b/i.test(authorization));
}

/** Sorts by the time of its making, which listings page by. */
export function newTokenId(nowMs: number): string {
  return `token-${nowMs}-${randomBytes(6).toString('hex')}`;
}
