import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { UsualPaymentsService } from '../../../src/payments/usual-payments.service.js';
import { UnitOfWork } from '../../../src/platform/database/unit-of-work.js';
import { InboxApplier } from '../../../src/platform/inbox/inbox-applier.service.js';
import type { Release } from '../../../src/platform/inbox/inbox-applier.service.js';
import { InboxDrainService } from '../../../src/platform/inbox/inbox-drain.service.js';
import { InboxRepository } from '../../../src/platform/inbox/inbox.repository.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { empty, fill, randomMessages, randomOrders, show } from '../../support/random-messages.js';
import type { Records } from '../../support/random-messages.js';
import { SimulatorClock } from '../../support/wechatpay-simulator/clock.ts';
import { startWechatPaySimulator } from '../../support/wechatpay-simulator/simulator.ts';

/*
 * Messages that are applied together must leave what they would have left one after the other, in the same order: any set
 * of orders in any state, and any messages about them, here on two databases, one of which gets the messages one by one.
 */

const RUNS = 60;

function drain({ app }: TestApplication): Promise<void> {
  return app.get(InboxDrainService).drain(new AbortController().signal);
}

type Order = { readonly batch: Records; readonly alone: Records };

/** Each in a transaction of its own, in this order; what one of them makes due again does so when it does on the other side. */
async function applyOneByOne(application: TestApplication, { batch, alone }: Order): Promise<void> {
  const { app } = application;
  const inbox = app.get(InboxRepository);
  for (const record of [...batch, ...alone]) await inbox.insertMany([record]);
  const ids = await app
    .get(UnitOfWork)
    .reader.query<{ id: string; dedupe_key: string }[]>('SELECT id, dedupe_key FROM inbox_messages');
  const idOf = new Map(ids.map((row) => [row.dedupe_key, row.id]));
  const apply = ({ dedupeKey }: Records[number]) =>
    app.get(UnitOfWork).run(async (tx) => {
      const item = await inbox.claim(tx, idOf.get(dedupeKey) ?? '');
      return item && app.get(InboxApplier).applyOne(tx, item);
    });
  const release = async (releases: readonly (Release | null)[]) => {
    for (const due of releases) if (due) await inbox.release([due.outTradeNo], due.topic);
  };
  const ofBatch: (Release | null)[] = [];
  for (const record of batch) ofBatch.push(await apply(record));
  await release(ofBatch);
  for (const record of alone) await release([await apply(record)]);
  await drain(application);
}

/** @returns the records in the order in which they were applied */
async function applyTogether(application: TestApplication, records: Records): Promise<Order> {
  for (const record of records) await application.app.get(InboxRepository).insertMany([record]);
  const applier = vi.spyOn(application.app.get(InboxApplier), 'applyAll');
  await drain(application);
  const [first] = applier.mock.settledResults;
  applier.mockRestore();
  if (first?.type !== 'fulfilled')
    throw new Error('the batch must have been applied', { cause: first?.value });
  const alone = new Set(first.value.alone.map(({ receivedAt }) => receivedAt.getTime()));
  const isAlone = ({ receivedAtMs }: Records[number]) => alone.has(receivedAtMs);
  return {
    batch: inRounds(records).filter((record) => !isAlone(record)),
    alone: records.filter(isAlone),
  };
}

/** The first message of each order, topic by topic, then the second of each. */
function inRounds(records: Records): Records {
  const queues = [...Map.groupBy(records, ({ outTradeNo }) => outTradeNo).values()];
  const rounds = Array.from({ length: Math.max(...queues.map(({ length }) => length)) }, (_, round) =>
    records.filter((record) => queues.some((queue) => queue[round] === record)),
  );
  return rounds.flatMap((heads) => [...Map.groupBy(heads, ({ topic }) => topic).values()].flat());
}

type Side = { database: TestDatabase; application: TestApplication };

async function startSide(env: Record<string, string>): Promise<Side> {
  const database = await createTestDatabase();
  const application = await startApplication(database, { ROLE: 'api', ...env });
  await application.whenAvailable();
  return { database, application };
}

const VARIANTS = ['without credentials of WeChat Pay', 'with WeChat Pay to be asked'];

describe.each(VARIANTS)('messages, %s', (variant) => {
  let together: Side;
  let oneByOne: Side;
  let closeSimulator = async () => {};

  beforeAll(async () => {
    let env: Record<string, string> = {};
    if (variant.startsWith('with ')) {
      const simulator = await startWechatPaySimulator({ mode: 'public-key', clock: new SimulatorClock() });
      env = simulator.env;
      closeSimulator = () => simulator.close();
    }
    together = await startSide(env);
    oneByOne = await startSide(env);
  });
  afterAll(async () => {
    for (const { application, database } of [together, oneByOne]) {
      await application.stop();
      await database.drop();
    }
    await closeSimulator();
  });

  it('leave the same when they are applied together as one by one', async () => {
    let appliedTogether = 0;
    await fc.assert(
      fc.asyncProperty(randomOrders, randomMessages, async (orders, records) => {
        for (const { database } of [together, oneByOne]) {
          await empty(database);
          await fill(database, orders);
        }
        const usual = vi.spyOn(UsualPaymentsService.prototype, 'recordTogether');
        const inOrder = await applyTogether(together.application, records);
        appliedTogether += usual.mock.settledResults.flatMap(({ type, value }) =>
          type === 'fulfilled' ? [...value.keys()] : [],
        ).length;
        usual.mockRestore();
        await applyOneByOne(oneByOne.application, inOrder);
        expect(await show(together.database)).toEqual(await show(oneByOne.database));
      }),
      { numRuns: RUNS },
    );
    // Otherwise both sides would have done the same, and the test would prove nothing.
    expect(appliedTogether).toBeGreaterThan(RUNS / 10);
  }, 300_000);
});
