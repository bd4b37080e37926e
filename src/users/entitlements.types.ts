export type LedgerEntry = 'grant' | 'revocation';
export type PackageType = 'free' | 'basic' | 'premium';
export type LedgerOrigin = 'payment' | 'fulfilled_earlier' | 'manual';

/** What the ledger says about an order. A revocation closes it for good. */
export type Settlement = 'already_granted' | 'revoked';

export function settledBy(entries: readonly LedgerEntry[]): Settlement | null {
  if (entries.includes('revocation')) return 'revoked';
  return entries.includes('grant') ? 'already_granted' : null;
}

export type OrderSettlement = {
  readonly as: Settlement;
  readonly grant: { readonly userId: string; readonly packageType: PackageType } | null;
};

/** A line of the ledger as operators see it. */
export type LedgerLine = {
  readonly id: string;
  /** The order's number, or `manual:` and the key of a grant by hand. */
  readonly outTradeNo: string;
  readonly entry: LedgerEntry;
  readonly userId: string;
  readonly packageType: PackageType;
  /** What it changed the user's credits by. */
  readonly regenerateDelta: number;
  readonly origin: LedgerOrigin;
  readonly reason: string | null;
  readonly by: string;
  readonly at: Date;
};

export type LedgerPosition = { readonly id: string };

/** What a user has now. */
export type Entitlement = { readonly packageType: PackageType; readonly credits: number };

/** What an operator gives. */
export type ManualGrant = {
  readonly userId: string;
  /** `free` gives credits only. */
  readonly packageType: PackageType;
  readonly credits: number;
  readonly reason: string;
  /** The same key with the same content is the same grant, however often it arrives. */
  readonly idempotencyKey: string;
};

/** What an operator takes back: the grant of this order, or of this key. */
export type ManualRevocation = {
  readonly userId: string;
  readonly outTradeNo: string;
  readonly reason: string;
};

export type EntitlementChange = { readonly line: LedgerLine; readonly now: Entitlement };
