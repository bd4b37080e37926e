import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { JobLeasesRepository } from '../../../src/platform/jobs/job-leases.repository.js';
import { JobRunner } from '../../../src/platform/jobs/job-runner.js';
import { startApplication } from '../../support/application.js';
import type { TestApplication } from '../../support/application.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { eventually, until } from '../../support/until.ts';

describe('jobs', () => {
  let database: TestDatabase;
  const replicas: TestApplication[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    for (let n = 0; n < 2; n += 1) replicas.push(await startApplication(database));
    for (const replica of replicas) await replica.whenAvailable();
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    await database.drop();
  });

  it('of the cluster run on one replica at a time, and move on when it stops', async () => {
    const runs: { replica: number; token: number }[] = [];
    let running = 0;
    let overlaps = 0;
    replicas.forEach((replica, index) =>
      replica.app.get(JobRunner).register({
        name: 'of-the-cluster',
        everyMs: 20,
        scope: 'cluster',
        run: async ({ lease }) => {
          running += 1;
          if (running > 1) overlaps += 1;
          runs.push({ replica: index, token: Number(lease?.fencingToken) });
          await sleep(15);
          running -= 1;
        },
      }),
    );
    await eventually(() => expect(runs.length).toBeGreaterThan(10));
    const [owner] = runs;
    if (!owner) throw new Error('somebody must have run');
    expect(runs.every(({ replica }) => replica === owner.replica)).toBe(true);
    await replicas[owner.replica]?.stop();
    replicas.splice(owner.replica, 1);
    // Sooner than its lease runs out: a stop gives it back.
    await until(() => expect(runs.at(-1)?.replica).not.toBe(owner.replica), { withinMs: 5_000, everyMs: 25 });
    expect(runs.at(-1)?.token).toBeGreaterThan(owner.token);
    expect(overlaps).toBe(0);
  });

  it('go to another owner when the lease of a dead one has run out, never before', async () => {
    const leases = replicas[0]?.app.get(JobLeasesRepository);
    if (!leases) throw new Error('a replica must be left');
    const first = await leases.claim('of-a-dead-owner', 'dead', 700);
    expect(await leases.claim('of-a-dead-owner', 'heir', 700)).toBeNull();
    const heir = await eventually(async () => {
      const lease = await leases.claim('of-a-dead-owner', 'heir', 700);
      expect(lease).not.toBeNull();
      return lease;
    });
    expect(Number(heir?.fencingToken)).toBe(Number(first?.fencingToken) + 1);
  });

  // A stop has ten seconds in all, and the requests under way must have some of them.
  it('that hang hold up a stop for half of its time, and keep their lease', async () => {
    const hanging = await startApplication(database);
    await hanging.whenAvailable();
    const runner = hanging.app.get(JobRunner);
    const hung = Promise.withResolvers<void>();
    const begun = vi.fn<() => Promise<void>>(() => hung.promise);
    runner.register({ name: 'that-hangs', everyMs: 20, scope: 'cluster', run: begun });
    await eventually(() => expect(begun).toHaveBeenCalled());
    await runner.beforeApplicationShutdown();
    const [lease] = await database.query("SELECT owner FROM job_leases WHERE name = 'that-hangs'");
    expect(lease?.owner).not.toBeNull();
    hung.resolve();
    await hanging.stop();
  });

  it('that are woken while they run, run once more', async () => {
    const runner = replicas[0]?.app.get(JobRunner);
    let runs = 0;
    runner?.register({
      name: 'of-the-replica',
      everyMs: 3_600_000,
      scope: 'replica',
      run: async () => {
        runs += 1;
        await sleep(30);
      },
    });
    for (let n = 0; n < 5; n += 1) runner?.wake('of-the-replica');
    await eventually(() => expect(runs).toBe(2));
    await sleep(100);
    expect(runs).toBe(2);
  });
});
