import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { InboxHandlers } from '../../../src/platform/inbox/inbox-handlers.js';
import { InboxRepository } from '../../../src/platform/inbox/inbox.repository.js';
import { InboxService } from '../../../src/platform/inbox/inbox.service.js';
import type { SpoolRecord } from '../../../src/platform/spool/spool-protocol.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { newOutTradeNo } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { eventually, until } from '../../support/until.ts';

const record = (changes: Partial<SpoolRecord> = {}): SpoolRecord => ({
  dedupeKey: randomUUID().replaceAll('-', '').repeat(2),
  topic: 'of_this_test',
  outTradeNo: newOutTradeNo(),
  payload: '{"a":1}',
  receivedAtMs: Date.now(),
  ...changes,
});

describe('inbox', () => {
  let database: TestDatabase;
  let idle: TestApplication;
  let inbox: InboxRepository;

  beforeAll(async () => {
    database = await createTestDatabase();
    idle = await startApplication(database, { ROLE: 'api' });
    await idle.whenAvailable();
    inbox = idle.app.get(InboxRepository);
  });
  afterAll(async () => {
    await idle.stop();
    await database.drop();
  });

  const countOf = async (keys: string[]) => (await inbox.storedKeys(keys)).size;

  it('stores a batch in which some are known already, and the same one twice', async () => {
    const [a, b, c] = [record(), record(), record()];
    await inbox.insertMany([a, b]);
    await inbox.insertMany([b, c, c]);
    await inbox.insertMany([a, b, c]);
    expect(await countOf([a.dedupeKey, b.dedupeKey, c.dedupeKey])).toBe(3);
    const rows = await database.query('SELECT id FROM inbox_messages WHERE dedupe_key = ?', [b.dedupeKey]);
    expect(rows).toHaveLength(1);
  });

  it('stores overlapping batches of rivals without an error', async () => {
    const shared = Array.from({ length: 40 }, () => record());
    const batches = Array.from({ length: 8 }, (_, n) => [...shared.slice(n * 3), record()].reverse());
    await Promise.all(batches.map((batch) => inbox.insertMany(batch)));
    expect(await countOf(shared.map(({ dedupeKey }) => dedupeKey))).toBe(40);
  });

  it('gives each message to one claimant, and back when the claimant dies', async () => {
    await database.query('DELETE FROM inbox_messages');
    await inbox.insertMany([record(), record()]);
    const unitOfWork = idle.app.get(UnitOfWork);
    const claimed: (string | undefined)[] = [];
    await unitOfWork
      .run(async (first) => {
        claimed.push((await inbox.claimDue(first, 1))[0]?.id);
        await unitOfWork.run(async (second) => {
          claimed.push((await inbox.claimDue(second, 1))[0]?.id);
          await unitOfWork.run(async (third) => claimed.push((await inbox.claimDue(third, 1))[0]?.id));
        });
        throw new Error('dies before it settles anything');
      })
      .catch(() => undefined);
    expect(new Set(claimed.slice(0, 2)).size).toBe(2);
    expect(claimed[2]).toBeUndefined();
    expect(await unitOfWork.run((tx) => inbox.claimDue(tx, 1))).toHaveLength(1);
  });

  it('sets a message that always fails before an operator, while others go on', async () => {
    const replica = await startApplication(database);
    try {
      await replica.whenAvailable();
      const handlers = replica.app.get(InboxHandlers);
      let poisonTries = 0;
      handlers.register('poison', () => {
        poisonTries += 1;
        return Promise.reject(new Error('no such thing'));
      });
      const handled: string[] = [];
      handlers.register('sound', (_tx, item) => {
        handled.push(item.outTradeNo);
        return Promise.resolve({ kind: 'handled', outcome: 'done' });
      });
      const service = replica.app.get(InboxService);
      const poison = newOutTradeNo();
      await service.accept({ topic: 'poison', outTradeNo: poison, identity: 1, payload: {} });
      await database.query("UPDATE inbox_messages SET attempts = 8 WHERE topic = 'poison'");
      const sound = newOutTradeNo();
      await service.accept({ topic: 'sound', outTradeNo: sound, identity: 1, payload: {} });
      // Sooner than what is applied alone is due again.
      await until(() => expect(handled).toEqual([sound]), { withinMs: 5_000, everyMs: 50 });
      await eventually(async () => {
        await database.query("UPDATE inbox_messages SET available_at = NOW(3) WHERE topic = 'poison'");
        const rows = await database.query('SELECT kind, status, reason FROM exceptions WHERE subject = ?', [
          poison,
        ]);
        expect(rows).toMatchObject([{ kind: 'message_failed', status: 'open' }]);
        expect(String(rows[0]?.reason)).toContain('no such thing');
      });
      expect(poisonTries).toBeGreaterThanOrEqual(2);
      const errors = await database.query("SELECT id FROM error_logs WHERE error_message = 'no such thing'");
      expect(errors.length).toBeGreaterThanOrEqual(1);
    } finally {
      await replica.stop();
    }
  });
});
