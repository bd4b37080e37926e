import { Injectable } from '@nestjs/common';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { PageRequest } from '../shared/page.js';
import type { Role } from './permissions.js';
import type { TokenPosition, TokenRecord } from './tokens.types.js';

type TokenRow = {
  id: string;
  name: string;
  role: Role;
  created_by: string;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
  revoked_by: string | null;
};

/** The hash is not among them: nobody needs to read it. */
const COLUMNS = 'id, name, role, created_by, created_at, expires_at, last_used_at, revoked_at, revoked_by';

@Injectable()
export class TokensRepository {
  async insert(tx: Tx, token: TokenRecord & { readonly tokenHash: string }): Promise<void> {
    await tx.query(
      `INSERT INTO admin_tokens (id, name, token_hash, role, created_by, created_at, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      [token.id, token.name, token.tokenHash, token.role, token.createdBy, token.createdAt, token.expiresAt],
    );
  }

  /** The token that can be used at `now`, found by its unique hash: one row of one index. */
  async findLiveByHash(tx: Tx, tokenHash: string, now: Date): Promise<TokenRecord | null> {
    return first(
      await tx.query<TokenRow[]>(
        `SELECT ${COLUMNS} FROM admin_tokens WHERE token_hash = ? AND revoked_at IS NULL AND expires_at > ?`,
        [tokenHash, now],
      ),
    );
  }

  async noteUse(tx: Tx, id: string, use: { readonly now: Date; readonly unlessAfter: Date }): Promise<void> {
    await tx.query(
      'UPDATE admin_tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= ?)',
      [use.now, id, use.unlessAfter],
    );
  }

  async lockById(tx: Tx, id: string): Promise<TokenRecord | null> {
    return first(
      await tx.query<TokenRow[]>(`SELECT ${COLUMNS} FROM admin_tokens WHERE id = ? FOR UPDATE`, [id]),
    );
  }

  async listLiveByName(tx: Tx, name: string, now: Date): Promise<TokenRecord[]> {
    const rows = await tx.query<TokenRow[]>(
      `SELECT ${COLUMNS} FROM admin_tokens WHERE name = ? AND revoked_at IS NULL AND expires_at > ? ORDER BY id`,
      [name, now],
    );
    return rows.map(toRecord);
  }

  /** The newest first, one more than the page holds. */
  async list(tx: Tx, page: PageRequest<TokenPosition>): Promise<TokenRecord[]> {
    const after = page.after?.id ?? null;
    const rows = await tx.query<TokenRow[]>(
      `SELECT ${COLUMNS} FROM admin_tokens WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?`,
      [after, after, page.limit + 1],
    );
    return rows.map(toRecord);
  }

  async revoke(tx: Tx, id: string, by: { readonly name: string; readonly at: Date }): Promise<void> {
    await tx.query(
      'UPDATE admin_tokens SET revoked_at = ?, revoked_by = ? WHERE id = ? AND revoked_at IS NULL',
      [by.at, by.name, id],
    );
  }
}

function first(rows: TokenRow[]): TokenRecord | null {
  return rows[0] ? toRecord(rows[0]) : null;
}

function toRecord(row: TokenRow): TokenRecord {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    createdBy: row.created_by,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_by,
  };
}
