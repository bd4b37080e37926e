import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';

describe('UnitOfWork', () => {
  let database: TestDatabase;
  let application: TestApplication;
  let unitOfWork: UnitOfWork;

  beforeAll(async () => {
    database = await createTestDatabase();
    application = await startApplication(database, { ROLE: 'api', DB_POOL_SIZE: '8' });
    await application.whenAvailable();
    unitOfWork = application.app.get(UnitOfWork);
    await database.query('CREATE TABLE counters (id INT PRIMARY KEY, n INT NOT NULL)');
  });
  beforeEach(() => database.query('REPLACE INTO counters VALUES (1, 0), (2, 0)'));
  afterAll(async () => {
    await application.stop();
    await database.drop();
  });

  const read = async () =>
    (await database.query<{ n: number }>('SELECT n FROM counters ORDER BY id')).map(({ n }) => n);

  // Interleaving: A locks 1, B locks 2, A wants 2, B wants 1. One is thrown out and runs again from the start.
  it('runs a transaction again after a deadlock, and both take effect once', async () => {
    let met = 0;
    let open: (value?: unknown) => void = () => undefined;
    const bothHoldOne = new Promise((resolve) => (open = resolve));
    const bump = (first: number, second: number) =>
      unitOfWork.run(async (tx) => {
        await tx.query('UPDATE counters SET n = n + 1 WHERE id = ?', [first]);
        met += 1;
        if (met >= 2) open();
        await bothHoldOne;
        await tx.query('UPDATE counters SET n = n + 1 WHERE id = ?', [second]);
      });
    await Promise.all([bump(1, 2), bump(2, 1)]);
    expect(met).toBeGreaterThan(2);
    expect(await read()).toEqual([2, 2]);
  });

  // A lock wait timeout undoes one statement only: a COMMIT after it would store half the work.
  it('leaves nothing of a transaction that gave up waiting for a lock', async () => {
    const rival = await database.connect();
    await rival.query('START TRANSACTION');
    await rival.query('SELECT n FROM counters WHERE id = 2 FOR UPDATE');
    let tries = 0;
    const work = unitOfWork.run(async (tx) => {
      tries += 1;
      await tx.query('UPDATE counters SET n = n + 1 WHERE id = 1');
      await tx.query('UPDATE counters SET n = n + 1 WHERE id = 2');
    });
    await expect(work).rejects.toMatchObject({ errno: 1205 });
    expect(tries).toBe(1); // the caller's own schedule tries again
    await rival.query('ROLLBACK');
    await rival.end();
    expect(await read()).toEqual([0, 0]);
  });

  it('gives no connection back whose transaction may be open', async () => {
    for (let n = 0; n < 8; n += 1) {
      const work = unitOfWork.run(async (tx) => {
        await tx.query('UPDATE counters SET n = n + 1 WHERE id = 1');
        await tx.query('KILL CONNECTION_ID()');
      });
      await expect(work).rejects.toThrow();
    }
    expect(await read()).toEqual([0, 0]);
    await unitOfWork.run((tx) => tx.query('UPDATE counters SET n = n + 1 WHERE id = 1'));
    expect(await read()).toEqual([1, 0]);
  });

  it('works in UTC and strictly on every connection, whatever the server defaults to', async () => {
    const [row] = await unitOfWork.reader.query<Record<string, string>[]>(
      'SELECT @@session.time_zone AS zone, @@session.sql_mode AS mode, @@session.innodb_lock_wait_timeout AS wait',
    );
    expect(row).toMatchObject({ zone: '+00:00' });
    expect(row?.mode).toContain('STRICT_TRANS_TABLES');
    expect(Number(row?.wait)).toBe(1);
  });
});
