import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { orderCreatedBody } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { Caller } from '../../support/open-loop.js';
import { killBackends, startBackend } from '../../support/process.js';
import type { BackendProcess } from '../../support/process.js';
import { eventually } from '../../support/until.ts';

/** Each is a line of 250 bytes or more; together more than the kernel, the process and its reader keep of a pipe. */
const REQUESTS = 6_000;
const CALLERS = 32;

let database: TestDatabase;
let spoolDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

afterEach(async () => {
  await killBackends();
  rmSync(spoolDir, { recursive: true, force: true });
});

async function start(log?: number): Promise<BackendProcess> {
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-log-'));
  return startBackend(database, { SPOOL_DIR: spoolDir }, log === undefined ? {} : { log });
}

/** Requests of which each is told in the log. @returns how many were not answered 200 */
async function ask(backend: BackendProcess, requests: number): Promise<number> {
  const client = new Caller(backend.url);
  const headers = { 'X-Request-Id': 'x'.repeat(64) };
  let left = requests;
  let failures = 0;
  const caller = async () => {
    while (left > 0) {
      left -= 1;
      const { status } = await client.send({ path: '/api/prices/current', headers });
      if (status !== 200) failures += 1;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  client.close();
  return failures;
}

async function linesDropped(backend: BackendProcess): Promise<number> {
  const { text } = await backend.fetch('/health/ready');
  return (JSON.parse(text) as { log: { linesDropped: number } }).log.linesDropped;
}

/** By itself and not cut: with 0, or with the signal that it was asked with. */
async function expectOrderlyEnd(backend: BackendProcess): Promise<void> {
  const { code, signal } = await backend.end('SIGTERM');
  expect(code === 0 || signal === 'SIGTERM', `it ended with ${code} by ${signal}`).toBe(true);
}

describe('a log that', () => {
  // Prevents the end of the process by EPIPE, when whoever collects the log is restarted (fault 29).
  it('lost its reader does not stop the requests, and what is lost is counted', async () => {
    const backend = await start();
    backend.stopReadingLog('gone');
    expect(await ask(backend, 100)).toBe(0);
    await backend.post('order-created', orderCreatedBody());
    expect(await linesDropped(backend)).toBeGreaterThanOrEqual(100);
    await expectOrderlyEnd(backend);
  });

  // Prevents a process that hangs in a write to a full pipe, with all its requests.
  it('is not read does not stop the requests, and memory for it is bounded', async () => {
    const backend = await start();
    backend.stopReadingLog('silent');
    expect(await ask(backend, REQUESTS)).toBe(0);
    expect((await backend.post('order-created', orderCreatedBody())).status).toBe(200);
    await eventually(async () => expect(await linesDropped(backend)).toBeGreaterThan(0));
    await expectOrderlyEnd(backend);
  });

  // Prevents an error that is logged, which is an error that is logged.
  it('goes to a full disk does not stop the requests, and what is lost is counted', async () => {
    const backend = await start(openSync('/dev/full', 'a'));
    expect(await ask(backend, 100)).toBe(0);
    expect((await backend.post('order-created', orderCreatedBody())).status).toBe(200);
    expect(await linesDropped(backend)).toBeGreaterThanOrEqual(100);
    await expectOrderlyEnd(backend);
  });
});
