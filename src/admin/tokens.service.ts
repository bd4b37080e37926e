import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { Actor } from '../shared/actor.js';
import { Clock } from '../shared/clock.js';
import { DomainError } from '../shared/domain-error.js';
import { pageOf } from '../shared/page.js';
import type { Page, PageRequest } from '../shared/page.js';
import { outranks } from './permissions.js';
import type { Role } from './permissions.js';
import { hashToken, newToken, newTokenId } from './token-format.js';
import { TokensRepository } from './tokens.repository.js';
import { TOKEN_DAYS_MAX, TOKEN_NAME_PATTERN } from './tokens.types.js';
import type { TokenPosition, TokenRecord, TokenState } from './tokens.types.js';

const DAY_MS = 86_400_000;

export type NewToken = {
  readonly name: string;
  readonly role: Role;
  /** When it ends by itself: after days, or at an instant. */
  readonly expires: { readonly inDays: number } | { readonly at: Date };
};

/** Makes, lists and ends the tokens of the admin API; the secret of one is returned once and never kept. */
@Injectable()
export class TokensService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly tokens: TokensRepository,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** Nobody makes a token that may more than they may themselves. */
  async create(
    wanted: NewToken,
    maker: { readonly by: Actor; readonly role: Role },
  ): Promise<{ readonly record: TokenRecord; readonly token: string }> {
    const createdAt = this.clock.now();
    const { name, role } = wanted;
    const expiresAt =
      'at' in wanted.expires
        ? wanted.expires.at
        : new Date(createdAt.getTime() + wanted.expires.inDays * DAY_MS);
    checkWanted({ name, lifeMs: expiresAt.getTime() - createdAt.getTime() });
    if (outranks(role, maker.role)) {
      throw new DomainError('forbidden', 'forbidden', `A token of the role ${maker.role} cannot make this.`);
    }
    const token = newToken();
    const record: TokenRecord = {
      name,
      role,
      expiresAt,
      id: newTokenId(createdAt.getTime()),
      createdBy: maker.by.name,
      createdAt,
      lastUsedAt: null,
      revokedAt: null,
      revokedBy: null,
    };
    await this.unitOfWork.run(async (tx) => {
      await this.tokens.insert(tx, { ...record, tokenHash: hashToken(token) });
      await this.audit.append(tx, {
        actor: maker.by,
        action: 'admin_token.created',
        targetType: 'admin_token',
        targetId: record.id,
        after: { name, role, expiresAt: expiresAt.toISOString() },
      });
    });
    return { record, token };
  }

  async list(page: PageRequest<TokenPosition>): Promise<Page<TokenRecord, TokenPosition>> {
    const rows = await this.tokens.list(this.unitOfWork.reader, page);
    return pageOf(rows, page.limit, ({ id }) => ({ id }));
  }

  /** Ends a token at once, for every replica: each request asks the database. A second time changes nothing. */
  async revoke(id: string, by: Actor): Promise<TokenRecord> {
    return this.unitOfWork.run((tx) => this.revokeOne(tx, id, by));
  }

  /** For the command line, where people know names: the only live token of that name, or the one of that id. */
  async revokeNamed(idOrName: string, by: Actor): Promise<TokenRecord> {
    return this.unitOfWork.run(async (tx) => {
      const named = await this.tokens.listLiveByName(tx, idOrName, this.clock.now());
      if (named.length > 1) {
        throw new DomainError(
          'ambiguous',
          'conflict',
          `Several live tokens have this name, say which: ${named.map(({ id }) => id).join(', ')}`,
        );
      }
      return this.revokeOne(tx, named[0]?.id ?? idOrName, by);
    });
  }

  stateOf(token: TokenRecord): TokenState {
    if (token.revokedAt) return 'revoked';
    return token.expiresAt <= this.clock.now() ? 'expired' : 'live';
  }

  private async revokeOne(tx: Tx, id: string, by: Actor): Promise<TokenRecord> {
    const token = await this.tokens.lockById(tx, id);
    if (!token) throw new DomainError('not_found', 'not_found', 'There is no such token.');
    if (token.revokedAt) return token;
    const revoked = { ...token, revokedAt: this.clock.now(), revokedBy: by.name };
    await this.tokens.revoke(tx, id, { name: by.name, at: revoked.revokedAt });
    await this.audit.append(tx, {
      actor: by,
      action: 'admin_token.revoked',
      targetType: 'admin_token',
      targetId: id,
      before: { revokedAt: null },
      after: { revokedAt: revoked.revokedAt.toISOString(), name: token.name, role: token.role },
    });
    return revoked;
  }
}

function checkWanted({ name, lifeMs }: { readonly name: string; readonly lifeMs: number }): void {
  if (!TOKEN_NAME_PATTERN.test(name)) {
    throw new DomainError(
      'invalid_request',
      'invalid',
      'name must be 1 to 64 letters, digits and . _ @ -, and begin with a letter or a digit',
    );
  }
  if (!(lifeMs > 0 && lifeMs <= TOKEN_DAYS_MAX * DAY_MS)) {
    throw new DomainError(
      'invalid_request',
      'invalid',
      `a token must expire in the future, at most ${TOKEN_DAYS_MAX} days from now`,
    );
  }
}
