import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_AT_ONCE_MAX } from '../../../src/platform/http/admission.js';
import { insertToken } from '../../support/admin.js';
import { INTERNAL_SECRET } from '../../support/secrets.ts';
import { insertOrderRow, orderCreatedBody } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { Caller, countBy, offer, p99Ms } from '../../support/open-loop.js';
import type { Outcome } from '../../support/open-loop.js';
import { killBackends, startBackend } from '../../support/process.js';
import type { BackendProcess } from '../../support/process.js';
import { listenOnQuietPort } from '../../support/tcp-proxy.js';
import { until } from '../../support/until.ts';

/**
 * Each answer of MySQL takes so long. A read of an operator is two of them and six are made at once, so that the capacity
 * is 75 a second at most on any machine, and this test needs no measurement to offer three times as much.
 */
const DATABASE_DELAY_MS = 40;
const READS_PER_SECOND = 225;
const EXPORTS_PER_SECOND = 15;
const PAYMENTS_PER_SECOND = 25;
const SECONDS = 6;
const READER = 'user-whose-orders-are-read';
const READERS = 20;
const EXPORTS = 5;
const READ = '/api/admin/orders?limit=5';
const EXPORT = '/api/admin/export/orders?format=csv&from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z';

let database: TestDatabase;
let backend: BackendProcess;
let slowWay: Server;
let spoolDir: string;
let token: string;
const links = new Set<Socket>();
/** Statements of the reader below that do not reach MySQL before they are let go. */
let held: (() => void)[] | null = null;

beforeAll(async () => {
  database = await createTestDatabase();
  slowWay = createServer((socket) => delayAnswers(socket));
  const port = await listenOnQuietPort(slowWay);
  spoolDir = mkdtempSync(join(tmpdir(), 'wxpay-overload-'));
  const env = { SPOOL_DIR: spoolDir, LOG_LEVEL: 'warn', DB_HOST: '127.0.0.1', DB_PORT: String(port) };
  backend = await startBackend(database, env);
  await backend.whenReady();
  token = (await insertToken(database, 'operator')).token;
  for (let rows = 0; rows < 20; rows += 1) await insertOrderRow(database);
});

afterAll(async () => {
  await killBackends();
  for (const link of links) link.destroy();
  await new Promise((resolve) => slowWay.close(resolve));
  await database.drop();
  rmSync(spoolDir, { recursive: true, force: true });
});

function delayAnswers(client: Socket): void {
  const server = connect(Number(database.env.DB_PORT), database.env.DB_HOST);
  client.on('data', (bytes) => {
    const pass = () => server.writable && server.write(bytes);
    if (held && bytes.includes(READER)) held.push(pass);
    else pass();
  });
  server.on('data', (bytes) => setTimeout(() => client.writable && client.write(bytes), DATABASE_DELAY_MS));
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    links.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => other.destroy());
  }
}

const asOperator = (path: string) => ({ path, headers: { Authorization: `Bearer ${token}` } });

function tell(name: string, outcomes: readonly Outcome[]): void {
  const accepted = outcomes.filter(({ status }) => status === 200);
  console.log(`${name}: ${JSON.stringify(countBy(outcomes))}, p99 of the accepted ${p99Ms(accepted)} ms`);
}

describe('three times more than can be done', () => {
  // Prevents an operator's script, or a screen that reloads, from keeping payments out (fault 23).
  it('is met by refusing reads and exports of operators, and no payment', async () => {
    const client = new Caller(backend.url);
    const [payments, reads, exports] = await Promise.all([
      offer({ perSecond: PAYMENTS_PER_SECOND, seconds: SECONDS }, () =>
        client.send({
          method: 'POST',
          path: '/api/payment/internal/order-created',
          headers: { 'X-Internal-Secret': INTERNAL_SECRET },
          body: orderCreatedBody(),
        }),
      ),
      offer({ perSecond: READS_PER_SECOND, seconds: SECONDS }, () => client.send(asOperator(READ))),
      offer({ perSecond: EXPORTS_PER_SECOND, seconds: SECONDS }, () => client.send(asOperator(EXPORT))),
    ]);
    client.close();
    tell('payments', payments);
    tell('reads', reads);
    tell('exports', exports);
    expect(countBy(payments)).toEqual({ 200: PAYMENTS_PER_SECOND * SECONDS });
    for (const { status } of [...reads, ...exports]) expect([200, 429, 503]).toContain(status);
    expect(countBy(reads)).toMatchObject({ 200: expect.any(Number), 503: expect.any(Number) });
    for (const { status, retryAfter } of reads)
      if (status === 503) expect(Number(retryAfter)).toBeGreaterThan(0);
    expect(countBy(exports)).toMatchObject({ 503: expect.any(Number) });
  });

  it('begins with exports: none is admitted while reads wait for their turn, and each read has it', async () => {
    const client = new Caller(backend.url);
    const waiting: (() => void)[] = (held = []);
    const letGo = () => {
      held = null;
      for (const pass of waiting.splice(0)) pass();
    };
    try {
      const read = asOperator(`${READ}&userId=${READER}`);
      const reads = Array.from({ length: READERS }, () => client.send(read));
      // The backend gives up a statement that is not answered in 10 s.
      await until(() => expect(waiting).toHaveLength(ADMIN_AT_ONCE_MAX), { withinMs: 5_000, everyMs: 25 });
      const exports: Outcome[] = [];
      for (let sent = 0; sent < EXPORTS; sent += 1) exports.push(await client.send(asOperator(EXPORT)));
      expect(countBy(exports)).toEqual({ 503: EXPORTS });
      letGo();
      expect(countBy(await Promise.all(reads))).toEqual({ 200: READERS });
    } finally {
      letGo();
      client.close();
    }
  });

  it('is forgotten once it is over', async () => {
    const client = new Caller(backend.url);
    expect((await client.send(asOperator(READ))).status).toBe(200);
    client.close();
  });
});
