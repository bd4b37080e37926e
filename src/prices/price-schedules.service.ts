import { Injectable } from '@nestjs/common';
import { AuditService } from '../platform/audit/audit.service.js';
import { isDuplicateEntry } from '../platform/database/database-error.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import type { Actor } from '../shared/actor.js';
import { Clock } from '../shared/clock.js';
import { DomainError } from '../shared/domain-error.js';
import { Money } from '../shared/money.js';
import { pageOf } from '../shared/page.js';
import type { Page, PageRequest } from '../shared/page.js';
import { priceInForce } from './price-history.js';
import type { PricedPackage, PricePoint } from './price-history.js';
import { PriceSchedulesRepository } from './price-schedules.repository.js';
import type { PricePosition, PriceRecord, PriceState, ScheduledPrice } from './price-schedules.types.js';
import { PricesRepository } from './prices.repository.js';

/** A package of this shop costs some yuan; ten thousand is a comma in the wrong place. */
const PRICE_FEN_MAX = 1_000_000;
/** Whoever plans further has mistyped the year. */
const AHEAD_MS_MAX = 366 * 86_400_000;

export type PriceWish = {
  readonly packageType: PricedPackage;
  readonly amount: Money;
  /** Null: from now on. */
  readonly effectiveAt: Date | null;
  readonly note: string | null;
};

/** Plans prices, and withdraws them before they are in force. What was in force stays in the history for ever: orders are judged by it. */
@Injectable()
export class PriceSchedulesService {
  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly schedules: PriceSchedulesRepository,
    private readonly prices: PricesRepository,
    private readonly audit: AuditService,
    private readonly clock: Clock,
  ) {}

  /** @throws DomainError `price_exists` when another price of the package begins at that instant */
  async schedule(wish: PriceWish, by: Actor): Promise<ScheduledPrice> {
    const createdAt = this.clock.now();
    checkWish(wish, createdAt);
    const { packageType, amount, note } = wish;
    const effectiveAt = wish.effectiveAt ?? createdAt;
    const price = { packageType, amountFen: amount.fen, effectiveAt, author: by.name, note, createdAt };
    return this.unitOfWork.run(async (tx) => {
      const id = await this.insert(tx, price);
      await this.audit.append(tx, {
        actor: by,
        action: 'price.scheduled',
        targetType: 'price',
        targetId: id,
        after: { packageType, amount: amount.toYuan(), effectiveAt: effectiveAt.toISOString(), note },
      });
      const record = { ...price, id, cancelledAt: null, cancelledBy: null };
      return this.withState(record, await this.prices.listHistory(tx));
    });
  }

  /** Only before it is in force: callers may have charged it since. A second time changes nothing. */
  async cancel(id: string, by: Actor): Promise<ScheduledPrice> {
    return this.unitOfWork.run(async (tx) => {
      const price = await this.schedules.lockById(tx, id);
      if (!price) throw new DomainError('not_found', 'not_found', 'There is no such price.');
      if (price.cancelledAt) return this.withState(price, []);
      const at = this.clock.now();
      if (price.effectiveAt <= at) {
        throw new DomainError(
          'price_in_force',
          'conflict',
          'This price is or was in force and stays in the history: schedule another one instead.',
        );
      }
      await this.schedules.cancel(tx, id, { name: by.name, at });
      await this.audit.append(tx, {
        actor: by,
        action: 'price.cancelled',
        targetType: 'price',
        targetId: price.id,
        before: { cancelledAt: null },
        after: { cancelledAt: at.toISOString() },
      });
      return this.withState({ ...price, cancelledAt: at, cancelledBy: by.name }, []);
    });
  }

  async list(
    packageType: PricedPackage | null,
    page: PageRequest<PricePosition>,
  ): Promise<Page<ScheduledPrice, PricePosition>> {
    const { reader } = this.unitOfWork;
    const rows = await this.schedules.list(reader, packageType, page);
    const history = await this.prices.listHistory(reader);
    const listed = rows.map((row) => this.withState(row, history));
    return pageOf(listed, page.limit, ({ effectiveAt, id }) => ({
      effectiveAt: effectiveAt.toISOString(),
      id,
    }));
  }

  private async insert(tx: Tx, price: Parameters<PriceSchedulesRepository['insert']>[1]): Promise<string> {
    try {
      return await this.schedules.insert(tx, price);
    } catch (error) {
      if (!isDuplicateEntry(error)) throw error;
      const known = await this.schedules.findAt(tx, price.packageType, price.effectiveAt);
      const which = known
        ? `${known.id}, ${Money.ofFen(known.amountFen).toYuan()} yuan,`
        : 'of somebody else';
      throw new DomainError(
        'price_exists',
        'conflict',
        `The price ${which} begins for this package at that instant. To replace it, cancel it first.`,
      );
    }
  }

  private withState(price: PriceRecord, history: readonly PricePoint[]): ScheduledPrice {
    return { ...price, state: this.stateOf(price, history) };
  }

  private stateOf(price: PriceRecord, history: readonly PricePoint[]): PriceState {
    if (price.cancelledAt) return 'cancelled';
    const now = this.clock.now();
    if (price.effectiveAt > now) return 'scheduled';
    const current = priceInForce(history, price.packageType, now);
    return String(current?.id) === price.id ? 'in_force' : 'past';
  }
}

function checkWish({ amount, effectiveAt }: PriceWish, now: Date): void {
  if (amount.isZero() || amount.fen > PRICE_FEN_MAX) {
    throw invalid('amount must be more than 0 and at most 10000.00 yuan');
  }
  if (effectiveAt === null) return;
  const aheadMs = effectiveAt.getTime() - now.getTime();
  if (aheadMs < 0) throw invalid('effectiveAt must not be in the past; leave it out for now');
  if (aheadMs > AHEAD_MS_MAX) throw invalid('effectiveAt must be within a year from now');
}

function invalid(message: string): DomainError {
  return new DomainError('invalid_request', 'invalid', message);
}
