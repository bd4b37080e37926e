import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { isId, placeholderUserId, userIdForOpenid } from '../shared/ids.js';
import type { OutTradeNo } from '../shared/ids.js';
import { UsersRepository } from './users.repository.js';
import type { UserRow } from './users.repository.js';

/** What a message says about who ordered; each part may be missing, unknown or odd. */
export type ClaimedOwner = {
  readonly outTradeNo: OutTradeNo;
  readonly userId: string | null;
  readonly openid: string | null;
  readonly unionid?: string | null;
};

@Injectable()
export class UsersService {
  constructor(private readonly users: UsersRepository) {}

  /**
   * The user an order belongs to, created when unknown: by id, then by openid (case-sensitive), else a
   * placeholder of this order's own, so that an order nobody claims can still be kept.
   * The row is locked until `tx` ends.
   */
  async ensureOwner(tx: Tx, claimed: ClaimedOwner): Promise<string> {
    const userId = isId(claimed.userId) ? claimed.userId : null;
    const known = await this.lockKnown(tx, claimed);
    if (known) {
      if (!known.openid && claimed.openid) await this.completeOpenid(tx, known.id, claimed.openid);
      return known.id;
    }
    const id =
      userId ?? (claimed.openid ? userIdForOpenid(claimed.openid) : placeholderUserId(claimed.outTradeNo));
    return this.create(tx, { id, openid: claimed.openid, unionid: claimed.unionid ?? null });
  }

  /** The user these claims mean, if the table has one. */
  async findOwner(tx: Tx, claimed: ClaimedOwner): Promise<string | null> {
    return (await this.lockKnown(tx, claimed))?.id ?? null;
  }

  /** Those of the users that there are, locked until `tx` ends. */
  async lockAll(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
    return new Set(await this.users.lockAll(tx, ids));
  }

  /** The payer of an order that nobody claimed when it was made: the user with this openid, else the order's placeholder, which becomes that user. */
  async adoptPayer(tx: Tx, outTradeNo: OutTradeNo, openid: string): Promise<string> {
    const known = await this.users.lockByOpenid(tx, openid);
    if (known) return known.id;
    return this.ensureOwner(tx, { outTradeNo, userId: placeholderUserId(outTradeNo), openid });
  }

  /** For a message to the user; null when the user is unknown or has none. Nothing is locked. */
  findOpenid(tx: Tx, userId: string): Promise<string | null> {
    return this.users.findOpenid(tx, userId);
  }

  private async lockKnown(tx: Tx, { userId, openid }: ClaimedOwner): Promise<UserRow | null> {
    const byId = isId(userId) ? await this.users.lockById(tx, userId) : null;
    return byId ?? (openid ? this.users.lockByOpenid(tx, openid) : null);
  }

  private async create(
    tx: Tx,
    user: { id: string; openid: string | null; unionid: string | null },
  ): Promise<string> {
    try {
      await this.users.insert(tx, user);
      return user.id;
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
    }
    // Taken meanwhile by a rival transaction, which has committed by now, or an openid that differs only by case.
    const rival =
      (await this.users.lockById(tx, user.id)) ??
      (user.openid ? await this.users.lockByOpenid(tx, user.openid) : null);
    if (rival) return rival.id;
    await this.users.insert(tx, { ...user, openid: null });
    return user.id;
  }

  private async completeOpenid(tx: Tx, id: string, openid: string): Promise<void> {
    try {
      await this.users.completeOpenid(tx, id, openid);
    } catch (error) {
      // Another user holds it: both stay as they are, the id decides.
      if (!isDuplicateEntry(error)) throw error;
    }
  }
}
