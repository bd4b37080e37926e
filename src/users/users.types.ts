/** A user as operators see one: the openid and the phone number are masked, and never leave in another form. */
export type UserProfile = {
  readonly id: string;
  readonly openid: string | null;
  readonly phone: string | null;
  readonly nickname: string | null;
  readonly avatarUrl: string | null;
  readonly paymentStatus: 'free' | 'basic' | 'premium';
  readonly regenerateCount: number;
  readonly createdAt: Date | null;
  readonly lastLoginAt: Date | null;
};

/** What is absent stays as it is. */
export type ProfileChange = {
  readonly nickname?: string;
  readonly avatarUrl?: string;
  /** Null clears it. */
  readonly phone?: string | null;
};

/** A mobile number of the mainland, which is stored without its country, or an international one. */
export const MAINLAND_MOBILE_PATTERN = /^1[3-9]\d{9}$/;
export const PHONE_PATTERN = /^(1[3-9]\d{9}|\+[1-9]\d{6,14})$/;
