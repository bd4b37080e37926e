import { Injectable } from '@nestjs/common';
import { DatabaseAvailability } from '../platform/database/database-availability.js';
import { databaseUnavailable } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import { AppLogger } from '../platform/logging/app-logger.js';
import { scrubError } from '../platform/logging/scrub.js';
import { Clock } from '../shared/clock.js';
import { withDeadline } from '../shared/deadline.js';
import { LookupSlots } from './lookup-slots.js';
import { hashToken } from './token-format.js';
import { TokensRepository } from './tokens.repository.js';
import type { TokenRecord } from './tokens.types.js';

/** The last use of a token is kept to the minute: listings would make a write of every read otherwise. */
const USE_NOTED_EVERY_MS = 60_000;
/** A person waits: a database that takes longer to read one row is away. */
const LOOKUP_DEADLINE_MS = 2_000;

/** Whose token is this? Asked of the database at every request, so that a revocation counts at once everywhere. */
@Injectable()
export class AccessService {
  private readonly slots = new LookupSlots();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly availability: DatabaseAvailability,
    private readonly tokens: TokensRepository,
    private readonly logger: AppLogger,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError `database_unavailable`: without the database nobody is known, and nobody is refused either */
  async identify(token: string): Promise<TokenRecord | null> {
    const tokenHash = hashToken(token);
    const found = await this.slots.run(() => {
      // Asked only now: while this waited, the server may have stalled.
      if (!this.availability.isAvailable) throw databaseUnavailable();
      const lookup = this.tokens.findLiveByHash(this.unitOfWork.reader, tokenHash, this.clock.now());
      return withDeadline('the database', LOOKUP_DEADLINE_MS, lookup);
    });
    if (found) this.noteUse(found);
    return found;
  }

  /** Not awaited: nobody waits for a note, and a failed one is of no consequence. */
  private noteUse({ id, lastUsedAt }: TokenRecord): void {
    const now = this.clock.now();
    const unlessAfter = new Date(now.getTime() - USE_NOTED_EVERY_MS);
    if (lastUsedAt && lastUsedAt > unlessAfter) return;
    this.tokens
      .noteUse(this.unitOfWork.reader, id, { now, unlessAfter })
      .catch((error: unknown) =>
        this.logger.warned('admin.use_not_noted', { tokenId: id, reason: scrubError(error).message }),
      );
  }
}
