import { Injectable } from '@nestjs/common';
import type { OnApplicationBootstrap } from '@nestjs/common';
import { AppConfig } from '../platform/config/app-config.js';
import { UnitOfWork } from '../platform/database/unit-of-work.js';
import type { Tx } from '../platform/database/unit-of-work.js';
import { JobRunner } from '../platform/jobs/job-runner.js';
import { Clock } from '../shared/clock.js';
import { Money } from '../shared/money.js';
import { PRICED_PACKAGES, priceInForce, pricesInForceBetween } from './price-history.js';
import type { PricedPackage, PricePoint } from './price-history.js';
import { PricesRepository } from './prices.repository.js';

/** A price that was written is served by every replica after this. */
const REFRESH_EVERY_MS = 2_000;

/** A replica that has just started answers when it has read the prices, or with the fallback prices after this. */
const FIRST_READ_MS_MAX = 2_000;

/** The prices and their dates before any history was written: those of the contract. */
const FALLBACK_SINCE = new Date('2026-01-27T00:00:00Z');

export type CurrentPrices = {
  readonly basic: Money;
  readonly premium: Money;
  readonly effectiveAt: Date;
  readonly updatedAt: Date;
};

type Window = { readonly from: Date; readonly to: Date };

/** The amounts that buy each package when they were charged within a window. */
export type LegitimatePrices = (window: Window) => Record<PricedPackage, Money[]>;

/** What the packages cost, now and at any time before. */
@Injectable()
export class PricesService implements OnApplicationBootstrap {
  /** The last history read; it keeps serving while MySQL is away. */
  private known: readonly PricePoint[] = [];
  private readonly firstRead = Promise.withResolvers<void>();

  constructor(
    private readonly prices: PricesRepository,
    private readonly unitOfWork: UnitOfWork,
    private readonly jobs: JobRunner,
    private readonly config: AppConfig,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.jobs.register({
      name: 'prices-refresh',
      everyMs: REFRESH_EVERY_MS,
      scope: 'replica',
      roles: 'every',
      run: () => this.refresh(),
    });
    setTimeout(this.firstRead.resolve, FIRST_READ_MS_MAX).unref();
  }

  /** From memory: the last known prices, or the fallback prices when none were ever read. */
  async current(): Promise<CurrentPrices> {
    await this.firstRead.promise;
    const now = this.clock.now();
    const inForce = (packageType: PricedPackage) =>
      priceInForce(this.known, packageType, now) ?? {
        amount: this.config.fallbackPrices[packageType],
        effectiveAt: FALLBACK_SINCE,
        createdAt: FALLBACK_SINCE,
      };
    const basic = inForce('basic');
    const premium = inForce('premium');
    return {
      basic: basic.amount,
      premium: premium.amount,
      effectiveAt: later(basic.effectiveAt, premium.effectiveAt),
      updatedAt: later(basic.createdAt, premium.createdAt),
    };
  }

  /**
   * The amounts that buy each package when they were charged within `window`: the prices in force then,
   * and the fallback prices callers use whenever they cannot reach this backend.
   */
  async legitimatePrices(tx: Tx, window: Window): Promise<Record<PricedPackage, Money[]>> {
    return (await this.readLegitimate(tx))(window);
  }

  /** {@link legitimatePrices} for many windows: the history is read once. */
  async readLegitimate(tx: Tx): Promise<LegitimatePrices> {
    const history = await this.prices.listHistory(tx);
    return (window) => {
      const [basic = [], premium = []] = PRICED_PACKAGES.map((packageType) => [
        ...pricesInForceBetween(history, packageType, window),
        this.config.fallbackPrices[packageType],
      ]);
      return { basic, premium };
    };
  }

  private async refresh(): Promise<void> {
    this.known = await this.prices.listHistory(this.unitOfWork.reader);
    this.firstRead.resolve();
  }
}

function later(a: Date, b: Date): Date {
  return a > b ? a : b;
}
