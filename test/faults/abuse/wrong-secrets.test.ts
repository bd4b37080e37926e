import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { INTERNAL_SECRET } from '../../support/secrets.ts';
import { orderCreatedBody } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { Caller, countBy, offer, p99Ms } from '../../support/open-loop.js';
import { findLeaks } from '../../support/leaks.ts';
import { killBackends, startBackend } from '../../support/process.js';
import type { BackendProcess } from '../../support/process.js';

const GUESSES = 5_000;
const GUESSERS = 20;
const VALID_PER_SECOND = 50;
const SECONDS = 4;
const TRIES_PER_SOURCE_MAX = 100;
const PATH = '/api/payment/internal/order-created';
const CANARY = 'Guessed7f3aCanary';

let database: TestDatabase;
let backend: BackendProcess;
let spoolDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-secrets-'));
  backend = await startBackend(database, { SPOOL_DIR: spoolDir });
  await backend.whenReady();
});

afterAll(async () => {
  await killBackends();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

/** Guesses as fast as answers come, as if from ever other addresses. */
async function guess(caller: Caller): Promise<Record<number, number>> {
  let left = GUESSES;
  const outcomes: Awaited<ReturnType<Caller['send']>>[] = [];
  const guesser = async () => {
    while (left > 0) {
      left -= 1;
      const headers = {
        'X-Internal-Secret': `${CANARY}${randomBytes(12).toString('hex')}`,
        'X-Forwarded-For': `203.0.113.${left % 250}`,
      };
      outcomes.push(await caller.send({ method: 'POST', path: PATH, headers, body: orderCreatedBody() }));
    }
  };
  await Promise.all(Array.from({ length: GUESSERS }, guesser));
  return countBy(outcomes);
}

describe('guessing the shared secret', () => {
  // Prevents guessing without end, and a lock-out of the cloud functions, which may share the guesser's address (fault 25).
  it('is answered 429 beyond its budget, while every call with the secret passes from the same address', async () => {
    const guessing = new Caller(backend.url);
    const calling = new Caller(backend.url);
    const headers = { 'X-Internal-Secret': INTERNAL_SECRET };
    const [guessed, valid] = await Promise.all([
      guess(guessing),
      offer({ perSecond: VALID_PER_SECOND, seconds: SECONDS }, () =>
        calling.send({ method: 'POST', path: PATH, headers, body: orderCreatedBody() }),
      ),
    ]);
    const after = await guessing.send({
      method: 'POST',
      path: PATH,
      headers: { 'X-Internal-Secret': CANARY },
      body: orderCreatedBody(),
    });
    guessing.close();
    calling.close();
    console.log(`guesses ${JSON.stringify(guessed)}, with the secret ${JSON.stringify(countBy(valid))},`);
    console.log(`p99 with the secret ${p99Ms(valid)} ms`);
    expect(guessed).toEqual({ 401: TRIES_PER_SOURCE_MAX, 429: GUESSES - TRIES_PER_SOURCE_MAX });
    expect(countBy(valid)).toEqual({ 200: VALID_PER_SECOND * SECONDS });
    expect(after.status).toBe(429);
    expect(Number(after.retryAfter)).toBeGreaterThan(0);
  });

  // Prevents a log of gigabytes, in which the mistyped secret of a function stands as well.
  it('is one line in the log, without what was tried', async () => {
    await backend.end('SIGTERM');
    const lines = backend.output().split('\n');
    const refused = lines.filter((line) => line.includes('"http.access_refused"'));
    expect(refused).toHaveLength(1);
    expect(JSON.parse(refused[0] ?? '')).toMatchObject({
      tokenTries: 0,
      secretTries: GUESSES + 1,
      throttled: GUESSES + 1 - TRIES_PER_SOURCE_MAX,
      sources: 1,
    });
    expect(lines.filter((line) => line.includes('"status":429'))).toEqual([]);
    expect(findLeaks(backend.output(), [CANARY])).toEqual([]);
  });
});
