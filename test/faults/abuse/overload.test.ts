import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/**
 * Each answer of MySQL takes so long. A read of an operator is two of them and six are made at once, so that the capacity
 * is 75 a second at most on any machine, and this test needs no measurement to offer three times as much.
 */
const DATABASE_DELAY_MS = 40;
const READS_PER_SECOND = 225;
const EXPORTS_PER_SECOND = 15;
const PAYMENTS_PER_SECOND = 25;
const SECONDS = 6;

let database: TestDatabase;
let backend: BackendProcess;
let slowWay: Server;
let spoolDir: string;
let token: string;
const links = new Set<Socket>();

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
  client.pipe(server);
  server.on('data', (bytes) => setTimeout(() => client.writable && client.write(bytes), DATABASE_DELAY_MS));
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    links.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => other.destroy());
  }
}

const refusedShare = (outcomes: readonly Outcome[]) =>
  outcomes.filter(({ status }) => status === 503 || status === 429).length / outcomes.length;

function tell(name: string, outcomes: readonly Outcome[]): void {
  const accepted = outcomes.filter(({ status }) => status === 200);
  console.log(`${name}: ${JSON.stringify(countBy(outcomes))}, p99 of the accepted ${p99Ms(accepted)} ms`);
}

describe('three times more than can be done', () => {
  // Prevents an operator's script, or a screen that reloads, from keeping payments out (fault 23).
  it('is met by refusing exports first, then reads of operators, and no payment', async () => {
    const client = new Caller(backend.url);
    const asOperator = { Authorization: `Bearer ${token}` };
    const [payments, reads, exports] = await Promise.all([
      offer({ perSecond: PAYMENTS_PER_SECOND, seconds: SECONDS }, () =>
        client.send({
          method: 'POST',
          path: '/api/payment/internal/order-created',
          headers: { 'X-Internal-Secret': INTERNAL_SECRET },
          body: orderCreatedBody(),
        }),
      ),
      offer({ perSecond: READS_PER_SECOND, seconds: SECONDS }, () =>
        client.send({ path: '/api/admin/orders?limit=5', headers: asOperator }),
      ),
      offer({ perSecond: EXPORTS_PER_SECOND, seconds: SECONDS }, () =>
        client.send({
          path: '/api/admin/export/orders?format=csv&from=2026-01-01T00:00:00Z&to=2026-12-31T00:00:00Z',
          headers: asOperator,
        }),
      ),
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
    expect(refusedShare(exports)).toBeGreaterThanOrEqual(refusedShare(reads));
  });

  it('is forgotten once it is over', async () => {
    const client = new Caller(backend.url);
    const headers = { Authorization: `Bearer ${token}` };
    expect((await client.send({ path: '/api/admin/orders', headers })).status).toBe(200);
    client.close();
  });
});
