import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { ProfileChange } from './users.types.js';

/** A user with the openid and the phone number in the clear: it stays within this feature. */
export type ProfileRecord = {
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

type ProfileRow = {
  id: string;
  openid: string | null;
  phone: string | null;
  nickname: string | null;
  avatar_url: string | null;
  payment_status: 'free' | 'basic' | 'premium' | '' | null;
  regenerate_count: number | null;
  created_at: Date | null;
  last_login_at: Date | null;
};

const SELECT_PROFILE = `SELECT id, openid, phone, nickname, avatar_url, payment_status, regenerate_count, created_at, last_login_at
   FROM users`;

const COLUMN_OF = { nickname: 'nickname', avatarUrl: 'avatar_url', phone: 'phone' } as const satisfies Record<
  keyof ProfileChange,
  string
>;

@Injectable()
export class UserProfilesRepository {
  async find(tx: Tx, id: string): Promise<ProfileRecord | null> {
    return first(await tx.query<ProfileRow[]>(`${SELECT_PROFILE} WHERE id = ?`, [id]));
  }

  async lock(tx: Tx, id: string): Promise<ProfileRecord | null> {
    return first(await tx.query<ProfileRow[]>(`${SELECT_PROFILE} WHERE id = ? FOR UPDATE`, [id]));
  }

  /** Openids differ by case, and the column's usual collation does not: the second comparison decides. */
  async findByOpenid(tx: Tx, openid: string): Promise<ProfileRecord | null> {
    return first(
      await tx.query<ProfileRow[]>(
        `${SELECT_PROFILE} WHERE openid = ? AND CAST(openid AS BINARY) = CAST(? AS BINARY)`,
        [openid, openid],
      ),
    );
  }

  /** A number may stand in several ways, and with several users. */
  async listByPhone(tx: Tx, spellings: readonly string[], limit: number): Promise<ProfileRecord[]> {
    const rows = await tx.query<ProfileRow[]>(`${SELECT_PROFILE} WHERE phone IN (?) LIMIT ?`, [
      spellings,
      limit,
    ]);
    return rows.map(toRecord);
  }

  /** `last_login_at` is named because some servers rewrite the contract's column on every update. */
  async change(tx: Tx, id: string, change: ProfileChange): Promise<void> {
    const fields = (Object.keys(COLUMN_OF) as (keyof ProfileChange)[]).filter(
      (field) => change[field] !== undefined,
    );
    const assignments = fields.map((field) => `${COLUMN_OF[field]} = ?`);
    await tx.query(`UPDATE users SET ${assignments.join(', ')}, last_login_at = last_login_at WHERE id = ?`, [
      ...fields.map((field) => change[field]),
      id,
    ]);
  }
}

function first(rows: ProfileRow[]): ProfileRecord | null {
  return rows[0] ? toRecord(rows[0]) : null;
}

function toRecord(row: ProfileRow): ProfileRecord {
  return {
    id: row.id,
    openid: row.openid || null,
    phone: row.phone || null,
    nickname: row.nickname || null,
    avatarUrl: row.avatar_url || null,
    paymentStatus: row.payment_status || 'free',
    regenerateCount: row.regenerate_count ?? 0,
    createdAt: row.created_at,
    lastLoginAt: row.last_login_at,
  };
}
