import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { Entitlement } from './entitlements.types.js';

type EntitlementRow = {
  payment_status: 'free' | 'basic' | 'premium' | '' | null;
  regenerate_count: number | null;
};

export type NewUser = {
  readonly id: string;
  readonly openid: string | null;
  readonly unionid: string | null;
};

export type UserRow = { readonly id: string; readonly openid: string | null };

@Injectable()
export class UsersRepository {
  async lockById(tx: Tx, id: string): Promise<UserRow | null> {
    const [row] = await tx.query<UserRow[]>('SELECT id, openid FROM users WHERE id = ? FOR UPDATE', [id]);
    return row ?? null;
  }

  /** Those of the users that there are, locked in the order of their ids, so that two batches wait and do not deadlock. */
  async lockAll(tx: Tx, ids: readonly string[]): Promise<UserRow[]> {
    if (ids.length === 0) return [];
    // Without the hint a small table is read from end to end, and rows of nobody here are waited for.
    return tx.query<UserRow[]>(
      'SELECT id, openid FROM users FORCE INDEX (PRIMARY) WHERE id IN (?) ORDER BY id FOR UPDATE',
      [ids],
    );
  }

  /** Those of {@link lockAll} whose rows nobody else holds. */
  async lockFree(tx: Tx, ids: readonly string[]): Promise<string[]> {
    if (ids.length === 0) return [];
    const rows = await tx.query<Pick<UserRow, 'id'>[]>(
      'SELECT id FROM users FORCE INDEX (PRIMARY) WHERE id IN (?) ORDER BY id FOR UPDATE SKIP LOCKED',
      [ids],
    );
    return rows.map(({ id }) => id);
  }

  /** Those of the openids that somebody has, and others that the column takes for one of them. */
  async listTakenOpenids(tx: Tx, openids: readonly string[]): Promise<string[]> {
    if (openids.length === 0) return [];
    const rows = await tx.query<{ openid: string }[]>('SELECT openid FROM users WHERE openid IN (?)', [
      openids,
    ]);
    return rows.map(({ openid }) => openid);
  }

  /** The id as the table has it: the column compares without case, the ledger's does not. */
  async findId(tx: Tx, id: string): Promise<string | null> {
    const [row] = await tx.query<Pick<UserRow, 'id'>[]>('SELECT id FROM users WHERE id = ?', [id]);
    return row?.id ?? null;
  }

  async findOpenid(tx: Tx, id: string): Promise<string | null> {
    const [row] = await tx.query<Pick<UserRow, 'openid'>[]>('SELECT openid FROM users WHERE id = ?', [id]);
    return row?.openid || null;
  }

  /** Openids differ by case, and the column's usual collation does not: the second comparison decides. */
  async lockByOpenid(tx: Tx, openid: string): Promise<UserRow | null> {
    const [row] = await tx.query<UserRow[]>(
      'SELECT id, openid FROM users WHERE openid = ? AND CAST(openid AS BINARY) = CAST(? AS BINARY) FOR UPDATE',
      [openid, openid],
    );
    return row ?? null;
  }

  /** @throws a duplicate-entry error when an id or an openid is taken: then none is written */
  async insert(tx: Tx, ...users: readonly NewUser[]): Promise<void> {
    await tx.query('INSERT INTO users (id, openid, unionid) VALUES ?', [
      users.map(({ id, openid, unionid }) => [id, openid, unionid]),
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
   * Raises users by what each was granted: the package only ever upwards, the credits relative to what is there.
   * `last_login_at` is named because some servers rewrite the contract's column on every update.
   * @returns how many of the users there are
   */
  async raise(
    tx: Tx,
    ids: readonly string[],
    by: { packageType: 'free' | 'basic' | 'premium'; credits: number },
  ): Promise<number> {
    const result = await tx.query<{ affectedRows: number }>(
      `UPDATE users
          SET payment_status = IF(payment_status = 'premium' OR ? = 'premium', 'premium',
                IF(payment_status = 'basic' OR ? = 'basic', 'basic', 'free')),
              regenerate_count = COALESCE(regenerate_count, 0) + ?,
              last_login_at = last_login_at
        WHERE id IN (?)`,
      [by.packageType, by.packageType, by.credits, ids],
    );
    return result.affectedRows;
  }

  /** What the user has now, locked until `tx` ends; null when there is no such user. */
  async lockEntitlement(tx: Tx, id: string): Promise<Entitlement | null> {
    return toEntitlement(
      await tx.query<EntitlementRow[]>(
        'SELECT payment_status, regenerate_count FROM users WHERE id = ? FOR UPDATE',
        [id],
      ),
    );
  }

  async findEntitlement(tx: Tx, id: string): Promise<Entitlement | null> {
    return toEntitlement(
      await tx.query<EntitlementRow[]>('SELECT payment_status, regenerate_count FROM users WHERE id = ?', [
        id,
      ]),
    );
  }

  /** Takes back a grant; the caller holds the row and knows what is left. The credits are relative and never fall below zero. */
  async lower(
    tx: Tx,
    id: string,
    to: { packageType: 'free' | 'basic' | 'premium'; credits: number },
  ): Promise<void> {
    await tx.query(
      `UPDATE users
          SET payment_status = ?, regenerate_count = GREATEST(0, COALESCE(regenerate_count, 0) - ?),
              last_login_at = last_login_at
        WHERE id = ?`,
      [to.packageType, to.credits, id],
    );
  }
}

function toEntitlement([row]: EntitlementRow[]): Entitlement | null {
  return row ? { packageType: row.payment_status || 'free', credits: row.regenerate_count ?? 0 } : null;
}
