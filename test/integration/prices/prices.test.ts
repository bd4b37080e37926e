import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PricesService } from '../../../src/prices/prices.service.js';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { eventually, until } from '../../support/until.ts';

describe('prices', () => {
  let database: TestDatabase;
  let application: TestApplication;

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await startApplication(database);
    await application.whenAvailable();
  });
  afterAll(async () => {
    await application.stop();
    await database.drop();
  });

  const served = async () =>
    (await application.http().get('/api/prices/current').expect(200)).body as unknown;

  it('are those of the contract on a new database', async () => {
    await eventually(async () =>
      expect(await served()).toEqual({
        success: true,
        data: {
          packages: { basic: 0.01, premium: 29.9 },
          effectiveAt: '2026-01-27T00:00:00Z',
          updatedAt: '2026-01-26T10:30:00Z',
        },
      }),
    );
  });

  it('follow the table within seconds, without prices of the future and withdrawn ones', async () => {
    await database.query(
      `INSERT INTO price_configs (package_type, amount_fen, effective_at, author, cancelled_at) VALUES
         ('premium', 3990, NOW(3) - INTERVAL 1 SECOND, 'test', NULL),
         ('premium', 4990, NOW(3) + INTERVAL 1 DAY, 'test', NULL),
         ('basic', 1, NOW(3), 'test', NULL), ('basic', 500, NOW(3), 'test', NOW(3))`,
    );
    await until(
      async () =>
        expect(await served()).toMatchObject({ data: { packages: { basic: 0.01, premium: 39.9 } } }),
      { withinMs: 8_000, everyMs: 100 },
    );
  });

  // Prevents every restart from selling at the fallback prices, which callers keep for five minutes.
  it('are those of the table in the first answer of a new replica, too', async () => {
    const replica = await startApplication(database);
    try {
      const { body } = await replica.http().get('/api/prices/current').expect(200);
      expect(body).toMatchObject({ data: { packages: { premium: 39.9 } } });
    } finally {
      await replica.stop();
    }
  });

  it('can be asked for any time before', async () => {
    const prices = application.app.get(PricesService);
    const at = new Date('2026-03-01T00:00:00Z');
    const reader = application.app.get(UnitOfWork).reader;
    const { premium } = await prices.legitimatePrices(reader, { from: at, to: at });
    expect(premium.map(({ fen }) => fen)).toEqual([2990, 2990]); // in force then, and the fallback
  });
});
