import type { Role } from './permissions.js';

/** A token without its secret, which exists nowhere but with its holder. */
export type TokenRecord = {
  readonly id: string;
  /** Who holds it; the audit log names them so. A person may hold several, while one replaces another. */
  readonly name: string;
  readonly role: Role;
  readonly createdBy: string;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
  readonly revokedBy: string | null;
};

/** Ids begin with the time of their making, so their order is that of time. */
export type TokenPosition = { readonly id: string };

export type TokenState = 'live' | 'expired' | 'revoked';

/** What goes into log lines and audit rows unquoted. */
export const TOKEN_NAME_PATTERN = /^[0-9A-Za-z][0-9A-Za-z._@-]{0,63}$/;

export const TOKEN_DAYS_DEFAULT = 90;
/** A year, and a day for the leap one: a token that nobody renews must end. */
export const TOKEN_DAYS_MAX = 366;
