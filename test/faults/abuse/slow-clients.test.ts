import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { INTERNAL_SECRET } from '../../support/secrets.ts';
import { orderCreatedBody } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { Caller, countBy, offer, p99Ms } from '../../support/open-loop.js';
import { killBackends, startBackend } from '../../support/process.js';
import type { BackendProcess } from '../../support/process.js';
import { openRaw } from '../../support/raw-sockets.js';
import type { RawSocket } from '../../support/raw-sockets.js';

const HEADERS_DEADLINE_MS = 10_000;
const REQUEST_DEADLINE_MS = 15_000;
/** The server looks once a second, and the machine of the tests is a busy one. */
const TOLERANCE_MS = 4_000;
const DRIP_MS = 1_000;
const SLOW_OF_A_KIND = 100;
const CALLS_PER_SECOND = 20;
const SECONDS = 15;

const PATH = '/api/payment/internal/order-created';
const HEAD = `POST ${PATH} HTTP/1.1\r\nHost: x\r\nX-Internal-Secret: ${INTERNAL_SECRET}\r\n`;

let database: TestDatabase;
let backend: BackendProcess;
let spoolDir: string;

beforeAll(async () => {
  database = await createTestDatabase();
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-slow-'));
  backend = await startBackend(database, { SPOOL_DIR: spoolDir, LOG_LEVEL: 'warn' });
  await backend.whenReady();
});

afterEach(() => clearInterval(dripping));

afterAll(async () => {
  await killBackends();
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

let dripping: NodeJS.Timeout | undefined;

/** Sends one more byte to each of them every second, for ever. */
function drip(slow: readonly { client: RawSocket; byte: string }[]): void {
  dripping = setInterval(() => {
    for (const { client, byte } of slow) if (client.isOpen()) client.socket.write(byte);
  }, DRIP_MS);
}

const many = (firstBytes: string) =>
  Array.from({ length: SLOW_OF_A_KIND }, () => openRaw(backend.url, firstBytes));
const slowest = async (clients: readonly RawSocket[]) =>
  Math.round(Math.max(...(await Promise.all(clients.map(({ closedAfterMs }) => closedAfterMs)))));

describe('clients that send slower than any network', () => {
  // Prevents a few slow clients from holding the sockets of the callers for minutes: Node alone waits five (fault 21).
  it('are closed at the deadlines of headers and body, and the callers notice nothing', async () => {
    const silent = many('');
    const slowHeaders = many(HEAD);
    const slowBody = many(
      `${HEAD}Content-Type: application/json\r\nContent-Length: 16000\r\n\r\n{"outTradeNo":"1`,
    );
    drip([
      ...slowHeaders.map((client) => ({ client, byte: 'X' })),
      ...slowBody.map((client) => ({ client, byte: '1' })),
    ]);
    const calling = new Caller(backend.url);
    const headers = { 'X-Internal-Secret': INTERNAL_SECRET };
    const calls = await offer({ perSecond: CALLS_PER_SECOND, seconds: SECONDS }, () =>
      calling.send({ method: 'POST', path: PATH, headers, body: orderCreatedBody() }),
    );
    calling.close();
    const closedMs = {
      silent: await slowest(silent),
      headers: await slowest(slowHeaders),
      body: await slowest(slowBody),
    };
    console.log(`closed after ${JSON.stringify(closedMs)} ms; meanwhile ${JSON.stringify(countBy(calls))},`);
    console.log(`p99 ${p99Ms(calls)} ms`);
    expect(closedMs.silent).toBeLessThan(HEADERS_DEADLINE_MS + TOLERANCE_MS);
    expect(closedMs.headers).toBeLessThan(HEADERS_DEADLINE_MS + TOLERANCE_MS);
    expect(closedMs.body).toBeLessThan(REQUEST_DEADLINE_MS + TOLERANCE_MS);
    for (const client of [...slowHeaders, ...slowBody]) expect(client.heard()).toMatch(/^HTTP\/1\.1 408 /);
    expect(countBy(calls)).toEqual({ 200: CALLS_PER_SECOND * SECONDS });
    const [stored] = await database.query<{ n: string }>('SELECT COUNT(*) AS n FROM inbox_messages');
    expect(Number(stored?.n)).toBe(CALLS_PER_SECOND * SECONDS);
  });
});
