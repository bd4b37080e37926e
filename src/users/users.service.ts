import { Injectable } from '@nestjs/common';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { foldText } from '../platform/database/collation.js';
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

  /** Those of the users that there are and that nobody else holds, locked until `tx` ends. */
  async lockFree(tx: Tx, ids: readonly string[]): Promise<Set<string>> {
    return new Set(await this.users.lockFree(tx, ids));
  }

  /**
   * Those of the claims that name a user about whom there is no question: one that the table has, or a new one, who is
   * created. The others are for {@link ensureOwner}, one by one. The rows of these users are locked until `tx` ends.
   * @throws a duplicate-entry error when a rival created one of them meanwhile: then none is
   */
  async ensureNamed<Claim extends ClaimedOwner>(tx: Tx, claims: readonly Claim[]): Promise<Set<Claim>> {
    const named = claims.filter(({ userId }) => isId(userId));
    const rows = await this.users.lockAll(tx, [...new Set(named.map(({ userId }) => userId ?? ''))]);
    const known = new Map(rows.map((row) => [row.id, row]));
    const taken = new Set(rows.map(({ id }) => foldText(id)));
    const isUnknown = ({ userId }: Claim) => isId(userId) && !taken.has(foldText(userId));
    const undoubted = await this.withoutDoubt(tx, claims);
    const fresh = new Set(named.filter((claim) => isUnknown(claim) && undoubted.has(claim)));
    const users = new Map(
      [...fresh].map(({ userId, openid, unionid = null }) => [userId, { openid, unionid }]),
    );
    const inserted = [...users].flatMap(([id, user]) => (id ? [{ id, ...user }] : []));
    if (inserted.length > 0) await this.users.insert(tx, ...inserted.sort(byId));
    const isComplete = ({ userId, openid }: Claim) => {
      const row = known.get(userId ?? '');
      return row !== undefined && (!openid || Boolean(row.openid));
    };
    return new Set(named.filter((claim) => fresh.has(claim) || isComplete(claim)));
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

  /** Of these claims those that agree with all others about their user, and whose openid is nobody else's. */
  private async withoutDoubt<Claim extends ClaimedOwner>(
    tx: Tx,
    claims: readonly Claim[],
  ): Promise<Set<Claim>> {
    const people = [
      ...Map.groupBy(claims, ({ userId, outTradeNo }) => foldText(userId ?? outTradeNo)).values(),
    ];
    const openidsOf = (of: readonly Claim[]) =>
      new Set(of.flatMap(({ openid }) => openid ?? []).map(foldText));
    const openids = claims.flatMap(({ openid }) => openid ?? []);
    const taken = (await this.users.listTakenOpenids(tx, openids)).map(foldText);
    const owners = Map.groupBy([...taken, ...people.flatMap((of) => [...openidsOf(of)])], (openid) => openid);
    const undoubted = people.filter((of) => {
      const said = new Set(
        of.map(({ userId, openid, unionid }) => JSON.stringify([userId, openid, unionid])),
      );
      return said.size === 1 && [...openidsOf(of)].every((openid) => owners.get(openid)?.length === 1);
    });
    return new Set(undoubted.flat());
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

function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : 1;
}
