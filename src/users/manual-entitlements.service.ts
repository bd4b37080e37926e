import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { Actor } from '../shared/actor.js';
import { DomainError } from '../shared/domain-error.js';
import { pageOf } from '../shared/page.js';
import type { Page, PageRequest } from '../shared/page.js';
import { EntitlementsRepository } from './entitlements.repository.js';
import { EntitlementsService } from './entitlements.service.js';
import type {
  Entitlement,
  EntitlementChange,
  LedgerEntry,
  LedgerLine,
  LedgerPosition,
  ManualGrant,
  ManualRevocation,
} from './entitlements.types.js';
import { UsersRepository } from './users.repository.js';

/** No order number has a colon, so the two never meet in the ledger. */
const MANUAL_PREFIX = 'manual:';

/** Why a user has what they have: the ledger's lines, and which of them makes the package. */
export type LedgerOfUser = {
  readonly now: Entitlement;
  /** Null when the user is free, or has the package from elsewhere than the ledger. */
  readonly madeBy: LedgerLine | null;
  readonly page: Page<LedgerLine, LedgerPosition>;
};

/** What operators give and take by hand, in the same ledger as what is paid for. */
@Injectable()
export class ManualEntitlementsService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly ledger: EntitlementsRepository,
    private readonly entitlements: EntitlementsService,
    private readonly users: UsersRepository,
    private readonly audit: AuditService,
  ) {}

  /** @throws DomainError `not_found` */
  async list(given: string, page: PageRequest<LedgerPosition>): Promise<LedgerOfUser> {
    const { reader } = this.unitOfWork;
    const userId = await this.users.findId(reader, given);
    if (!userId) throw unknownUser();
    const now = await this.read(reader, userId);
    const madeBy =
      now.packageType === 'free' ? null : await this.ledger.findLiveGrant(reader, userId, now.packageType);
    const lines = await this.ledger.listOfUser(reader, userId, page);
    return { now, madeBy, page: pageOf(lines, page.limit, ({ id }) => ({ id })) };
  }

  /**
   * Gives a package or credits once per key, in the ledger and to the user in one transaction.
   * @throws DomainError `not_found`, `idempotency_key_used` when the key stands for another grant
   */
  grant(wanted: ManualGrant, by: Actor): Promise<EntitlementChange> {
    if (wanted.packageType === 'free' && wanted.credits === 0) {
      throw new DomainError(
        'invalid_request',
        'invalid',
        'regenerateCredits must be more than 0 without a package',
      );
    }
    return this.unitOfWork.run(async (tx) =>
      this.grantOnce(tx, { ...wanted, userId: await this.lockUser(tx, wanted.userId) }, by),
    );
  }

  /**
   * Takes back one grant of the user. The same call again is the same revocation.
   * @throws DomainError `not_found`, `already_revoked` when a refund or somebody else took it back
   */
  revoke(wanted: ManualRevocation, by: Actor): Promise<EntitlementChange> {
    return this.unitOfWork.run(async (tx) =>
      this.revokeOnce(tx, { ...wanted, userId: await this.lockUser(tx, wanted.userId) }, by),
    );
  }

  private async grantOnce(tx: Tx, wanted: ManualGrant, by: Actor): Promise<EntitlementChange> {
    const outTradeNo = MANUAL_PREFIX + wanted.idempotencyKey;
    const before = await this.read(tx, wanted.userId);
    const known = await this.ledger.findLine(tx, outTradeNo, 'grant');
    if (known) return this.sameGrant(tx, known, wanted);
    try {
      await this.ledger.append(tx, {
        outTradeNo,
        entry: 'grant',
        origin: 'manual',
        userId: wanted.userId,
        packageType: wanted.packageType,
        regenerateDelta: wanted.credits,
        transactionId: null,
        reason: wanted.reason,
        grantedBy: by.name,
      });
    } catch (error) {
      // Another user's grant took the key meanwhile.
      if (!isDuplicateEntry(error)) throw error;
      throw keyUsed();
    }
    await this.users.raise(tx, [wanted.userId], wanted);
    return this.changed(tx, { outTradeNo, entry: 'grant', before, by });
  }

  private async sameGrant(tx: Tx, known: LedgerLine, wanted: ManualGrant): Promise<EntitlementChange> {
    const isSame =
      known.userId === wanted.userId &&
      known.packageType === wanted.packageType &&
      known.regenerateDelta === wanted.credits &&
      known.reason === wanted.reason;
    if (!isSame) throw keyUsed();
    return { line: known, now: await this.read(tx, wanted.userId) };
  }

  private async revokeOnce(tx: Tx, wanted: ManualRevocation, by: Actor): Promise<EntitlementChange> {
    const { userId, outTradeNo, reason } = wanted;
    const before = await this.read(tx, userId);
    const grant = await this.ledger.findLine(tx, outTradeNo, 'grant');
    if (grant?.userId !== userId) {
      throw new DomainError('grant_unknown', 'not_found', 'The ledger of this user has no such grant.');
    }
    // The number as the ledger has it: the column compares without case.
    const taken = { outTradeNo: grant.outTradeNo, reason, by: by.name, origin: 'manual' } as const;
    const outcome = await this.entitlements.revoke(tx, taken);
    if (outcome === 'revoked') {
      return this.changed(tx, { outTradeNo: grant.outTradeNo, entry: 'revocation', before, by });
    }
    const known = await this.getLine(tx, grant.outTradeNo, 'revocation');
    if (known.origin !== 'manual' || known.reason !== reason) {
      throw new DomainError(
        'already_revoked',
        'conflict',
        `This grant was taken back already, by ${known.by} on ${known.at.toISOString().slice(0, 10)}.`,
      );
    }
    return { line: known, now: before };
  }

  private async changed(
    tx: Tx,
    change: { outTradeNo: string; entry: LedgerEntry; before: Entitlement; by: Actor },
  ): Promise<EntitlementChange> {
    const line = await this.getLine(tx, change.outTradeNo, change.entry);
    const now = await this.read(tx, line.userId);
    await this.audit.append(tx, {
      actor: change.by,
      action: change.entry === 'grant' ? 'entitlement.granted' : 'entitlement.revoked',
      targetType: 'user',
      targetId: line.userId,
      before: { ...change.before },
      after: { ...now, outTradeNo: line.outTradeNo },
      reason: line.reason ?? undefined,
    });
    return { line, now };
  }

  /** The user comes first: of many calls with one key the second then finds what the first one did. */
  private async lockUser(tx: Tx, userId: string): Promise<string> {
    const user = await this.users.lockById(tx, userId);
    if (!user) throw unknownUser();
    return user.id;
  }

  private async getLine(tx: Tx, outTradeNo: string, entry: LedgerEntry): Promise<LedgerLine> {
    const line = await this.ledger.findLine(tx, outTradeNo, entry);
    if (!line) throw new Error('a line that was just written must be in the ledger');
    return line;
  }

  private async read(tx: Tx, userId: string): Promise<Entitlement> {
    const now = await this.users.findEntitlement(tx, userId);
    if (!now) throw unknownUser();
    return now;
  }
}

function keyUsed(): DomainError {
  return new DomainError(
    'idempotency_key_used',
    'conflict',
    'This idempotency key stands for another grant: take a new key for a new grant.',
  );
}

function unknownUser(): DomainError {
  return new DomainError('not_found', 'not_found', 'No such user is known.');
}
