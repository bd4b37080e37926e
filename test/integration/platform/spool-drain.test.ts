import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { InboxRepository } from '../../../src/platform/inbox/inbox.repository.js';
import type { SpoolRecord } from '../../../src/platform/spool/spool-protocol.js';
import { SpoolService } from '../../../src/platform/spool/spool.service.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { orderCreatedBody } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { eventually } from '../../support/until.ts';

const RECORDS = 300;
/** Longer than the pace has for a batch, so that the drain is in haste from the second one on. */
const STORED_AFTER_MS = 250;
const FAILING_STORE = 3;

let database: TestDatabase;
let proxy: TcpProxy;
let backend: TestApplication;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  backend = await startApplication(database, proxy.env);
  await backend.whenAvailable();
});

afterAll(async () => {
  await backend.stop();
  await proxy.close();
  await database.drop();
});

async function fillSpool(): Promise<Map<number, string>> {
  await proxy.refuse();
  for (let order = 0; order < RECORDS; order += 1)
    await backend.post('order-created', orderCreatedBody()).expect(200);
  const records = await backend.app.get(SpoolService).read(0, 2 * RECORDS);
  expect(records).toHaveLength(RECORDS);
  return new Map(records.map(({ seq, dedupeKey }) => [seq, dedupeKey]));
}

async function countStored(dedupeKeys: string[]): Promise<number> {
  const rows = await database.query('SELECT id FROM inbox_messages WHERE dedupe_key IN (?)', [dedupeKeys]);
  return rows.length;
}

describe('a spool that is emptied in haste', () => {
  it('loses nothing when the database fails in between, and removes only what is in the table', async () => {
    const keyOf = await fillSpool();
    const [inbox, spool] = [backend.app.get(InboxRepository), backend.app.get(SpoolService)];
    const insertMany = inbox.insertMany.bind(inbox);
    const remove = spool.remove.bind(spool);
    const seen = { stores: 0, storing: 0, removedMeanwhile: 0, removed: 0, removedTooEarly: 0 };
    vi.spyOn(inbox, 'insertMany').mockImplementation(async (records: readonly SpoolRecord[]) => {
      seen.stores += 1;
      seen.storing += 1;
      const isFailing = seen.stores === FAILING_STORE;
      try {
        await sleep(STORED_AFTER_MS);
        if (isFailing) throw new Error('the connection was lost');
        await insertMany(records);
      } finally {
        seen.storing -= 1;
      }
    });
    vi.spyOn(spool, 'remove').mockImplementation(async (seqs) => {
      if (seqs.length === 0) return;
      if (seen.storing > 0) seen.removedMeanwhile += 1;
      const keys = seqs.map((seq) => keyOf.get(seq) ?? 'unknown');
      seen.removedTooEarly += keys.length - (await countStored(keys));
      await remove(seqs);
      seen.removed += seqs.length;
    });
    await proxy.pass();
    await eventually(async () => expect((await spool.stats()).depth).toBe(0));
    expect(await countStored([...keyOf.values()])).toBe(RECORDS);
    expect(seen).toMatchObject({ storing: 0, removed: RECORDS, removedTooEarly: 0 });
    expect(seen.stores).toBeGreaterThan(FAILING_STORE);
    expect(seen.removedMeanwhile).toBeGreaterThan(0);
  });
});
