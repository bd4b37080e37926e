import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { DatabaseAvailability } from '../../src/platform/database/database-availability.js';
import { SnapshotReader } from '../../src/platform/database/snapshot-reader.js';
import { ExportsRepository } from '../../src/reports/exports.repository.js';
import { ExportPatience } from '../../src/reports/exports.service.js';
import { adminClient, insertToken, openAnswer } from '../support/admin.js';
import type { OpenAnswer, TestToken } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { createPlainUser, createTestDatabase } from '../support/database.js';
import type { PlainUser, TestDatabase } from '../support/database.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { eventually, until } from '../support/until.ts';

const PATH = '/export/orders?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z';
/** More than the sockets between the two ends hold. */
const ORDERS = 40_000;

let database: TestDatabase;
let proxy: TcpProxy;
let user: PlainUser;
let backend: TestApplication;
let token: TestToken;
const open: OpenAnswer[] = [];
const begun = new Set<string>();

beforeAll(async () => {
  database = await createTestDatabase();
  user = await createPlainUser(database);
  proxy = await TcpProxy.start({ host: user.env.DB_HOST, port: Number(user.env.DB_PORT) });
  backend = await startApplication({ ...database, env: { ...user.env, ...proxy.env } });
  await backend.whenAvailable();
  token = await insertToken(database, 'operator');
  const reader = backend.app.get(SnapshotReader);
  const begin = reader.begin.bind(reader);
  reader.begin = async (purpose) => {
    const snapshot = await begin(purpose);
    const [row] = await snapshot.query<{ id: string }>('SELECT CONNECTION_ID() AS id', []);
    begun.add(String(row?.id));
    return snapshot;
  };
  await database.query("INSERT INTO users (id) VALUES ('user-many')");
  await database.query(
    `INSERT INTO payment_orders (id, user_id, generation_id, out_trade_no, amount, package_type, status, created_at, remark)
     WITH RECURSIVE ten AS (SELECT 0 AS n UNION ALL SELECT n + 1 FROM ten WHERE n < 199)
     SELECT CONCAT('order-', a.n * 200 + b.n), 'user-many', 'user-many', CONCAT('1706345678', a.n * 200 + b.n), 29.90,
            'premium', 'paid', '2026-01-10' + INTERVAL a.n SECOND, REPEAT('x', 1000)
       FROM ten a JOIN ten b`,
  );
});

afterEach(async () => {
  for (const answer of open.splice(0)) answer.abort();
  await proxy.pass();
  await backend.whenAvailable();
  await eventually(async () => expect(await snapshots()).toEqual([]));
});

afterAll(async () => {
  await backend.stop();
  await proxy.close();
  await user.drop();
  await database.drop();
});

async function start(): Promise<OpenAnswer> {
  const answer = await openAnswer(backend, token, PATH);
  open.push(answer);
  return answer;
}

/** The connections of snapshots that the server still has. INNODB_TRX would not do: who polls it is shown old rows. */
async function snapshots(): Promise<string[]> {
  const rows = await database.query<{ id: string }>('SELECT ID AS id FROM information_schema.PROCESSLIST');
  return rows.map(({ id }) => String(id)).filter((id) => begun.has(id));
}

const untilSnapshots = (count: number) =>
  eventually(async () => expect(await snapshots()).toHaveLength(count), 10);

/** Never the file itself: a test that fails would print it. */
async function lengthOfRest(answer: OpenAnswer): Promise<number> {
  return (await answer.rest()).length;
}

describe('an export', () => {
  it('gives its connection back within a second when the client goes', async () => {
    const answer = await start();
    await answer.next();
    await untilSnapshots(1);
    const goneMs = performance.now();
    answer.abort();
    await untilSnapshots(0);
    expect(performance.now() - goneMs).toBeLessThan(1_000);
  });

  it('reads no further than the client takes', async () => {
    const reading = vi.spyOn(backend.app.get(ExportsRepository), 'readStep');
    const answer = await start();
    const first = await answer.next();
    // Some pieces wait in the sockets; then nothing is asked of the server any more.
    let stepsBefore = -1;
    await eventually(() => {
      const steps = reading.mock.calls.length;
      const isQuiet = steps === stepsBefore;
      stepsBefore = steps;
      expect(isQuiet).toBe(true);
    }, 500);
    const rowsAsked = reading.mock.calls.reduce((sum, [, , { limit }]) => sum + limit, 0);
    expect(rowsAsked).toBeLessThan(ORDERS / 2);
    reading.mockRestore();
    // Heading, orders, sums, and what is behind the last line end.
    const lines = (first + (await answer.rest())).split('\r\n').length;
    expect(lines).toBe(ORDERS + 3);
  });

  // Prevents an export from holding all its rows at the end: a promise that outlived each step once kept them.
  it('keeps only the rows at hand', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const repository = backend.app.get(ExportsRepository);
    const readStep = repository.readStep.bind(repository);
    const steps: WeakRef<object>[] = [];
    repository.readStep = async (...asked) => {
      const rows = await readStep(...asked);
      // A row and not the list: lists are made anew on their way.
      steps.push(new WeakRef(rows[0] ?? rows));
      return rows;
    };
    try {
      const answer = await start();
      while (steps.length < 25) await answer.next();
      await eventually(() => {
        collect();
        expect(steps.filter((step) => step.deref() !== undefined).length).toBeLessThan(6);
      });
    } finally {
      repository.readStep = readStep;
    }
  });

  it('is one of two at a time in a process; the third is told when to come back', async () => {
    await Promise.all([start(), start()]);
    const third = await adminClient(backend, token).get(PATH);
    expect([third.status, third.body.error, third.headers['retry-after']]).toEqual([429, 'busy', '30']);
    open.pop()?.abort();
    await untilSnapshots(1);
    const next = await start();
    expect(next.status).toBe(200);
  });

  it('ends when nobody takes it any more', async () => {
    const patience = backend.app.get(ExportPatience);
    const usual = patience.stalledMsMax;
    patience.stalledMsMax = 100;
    try {
      const answer = await start();
      await answer.next();
      await untilSnapshots(0);
      await expect(lengthOfRest(answer)).rejects.toThrow(/aborted|reset|terminated/i);
    } finally {
      patience.stalledMsMax = usual;
    }
  });

  // Prevents half a file from looking like a whole one.
  it('breaks off without its last row when the database goes in the middle', async () => {
    const answer = await start();
    await answer.next();
    for (const id of await snapshots()) await database.query('KILL ?', [Number(id)]);
    await expect(lengthOfRest(answer)).rejects.toThrow(/aborted|reset|terminated/i);
  });

  it('gives its connection back when the client goes while the server is silent', async () => {
    const answer = await start();
    await answer.next();
    await untilSnapshots(1);
    proxy.stall();
    const reading = answer.rest().catch(() => undefined);
    answer.abort();
    await reading;
    await proxy.pass();
    await untilSnapshots(0);
  });

  // Prevents whoever looks at statistics from sending every order to the spool, until somebody restarts the backend.
  it('that gets no connection of its own leaves the orders theirs', async () => {
    const setPassword = (password: string) =>
      database.query("ALTER USER ?@'%' IDENTIFIED BY ?", [user.env.DB_USER, password]);
    await Promise.all(Array.from({ length: 40 }, () => adminClient(backend, token).get('/orders')));
    await setPassword('changed-meanwhile');
    try {
      for (const path of [PATH, '/statistics/daily?from=2026-01-01&to=2026-01-02']) {
        const answer = await adminClient(backend, token).get(path);
        expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      }
      expect(backend.app.get(DatabaseAvailability).isAvailable).toBe(true);
    } finally {
      await setPassword(user.env.DB_PASSWORD);
    }
  });

  it('is refused with 503 and Retry-After while MySQL is away', async () => {
    await proxy.refuse();
    await until(
      async () => {
        const answer = await adminClient(backend, token).get(PATH);
        expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
        expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
      },
      { withinMs: 10_000, everyMs: 50 },
    );
  });
});
