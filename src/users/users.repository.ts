import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';

export type UserRow = { readonly id: string; readonly openid: string | null };

@Injectable()
export class UsersRepository {
  async lockById(tx: Tx, id: string): Promise<UserRow | null> {
    const [row] = await tx.query<UserRow[]>('SELECT id, openid FROM users WHERE id = ? FOR UPDATE', [id]);
    return row ?? null;
  }

  /** Openids differ by case, and the column's usual collation does not: the second comparison decides. */
  async lockByOpenid(tx: Tx, openid: string): Promise<UserRow | null> {
    const [row] = await tx.query<UserRow[]>(
      'SELECT id, openid FROM users WHERE openid = ? AND CAST(openid AS BINARY) = CAST(? AS BINARY) FOR UPDATE',
      [openid, openid],
    );
    return row ?? null;
  }

  /** @throws a duplicate-entry error when the id or the openid is taken */
  async insert(tx: Tx, user: { id: string; openid: string | null; unionid: string | null }): Promise<void> {
    await tx.query('INSERT INTO users (id, openid, unionid) VALUES (?, ?, ?)', [
      user.id,
      user.openid,
      user.unionid,
    ]);
  }

  /** Fills in an openid that was not known before. @throws a duplicate-entry error when another user has it */
  async completeOpenid(tx: Tx, id: string, openid: string): Promise<void> {
    await tx.query(
      "UPDATE users SET openid = ?, last_login_at = last_login_at WHERE id = ? AND (openid IS NULL OR openid = '')",
      [openid, id],
    );
  }

  /**
   * Raises a user by one grant: the package only ever upwards, the credits relative to what is there.
   * `last_login_at` is named because some servers rewrite the contract's column on every update.
   */
  async raise(
    tx: Tx,
    id: string,
    by: { packageType: 'basic' | 'premium'; credits: number },
  ): Promise<boolean> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE users
          SET payment_status = IF(payment_status = 'premium' OR ? = 'premium', 'premium', 'basic'),
              regenerate_count = COALESCE(regenerate_count, 0) + ?,
              last_login_at = last_login_at
        WHERE id = ?`,
      [by.packageType, by.credits, id],
    );
    return result.affectedRows === 1;
  }
}
