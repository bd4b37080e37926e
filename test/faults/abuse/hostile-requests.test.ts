import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import fc from 'fast-check';
import type supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DatabaseAvailability } from '../../../src/platform/database/database-availability.js';
import { SpoolService } from '../../../src/platform/spool/spool.service.js';
import { insertToken } from '../../support/admin.js';
import { startApplication } from '../../support/application.js';
import { INTERNAL_SECRET } from '../../support/secrets.ts';
import type { TestApplication } from '../../support/application.js';
import { insertOrderRow } from '../../support/builders.js';
import { createTestDatabase } from '../../support/database.js';
import type { TestDatabase } from '../../support/database.js';
import { expectToMatchOpenApi } from '../../support/openapi.js';
import { hostileRequests } from '../../support/hostile-requests.js';
import type { HostileRequest } from '../../support/hostile-requests.js';

/** FUZZ_RUNS=1000000 FUZZ_SEED=… for a release; the gate always draws the same. */
const RUNS = Number(process.env.FUZZ_RUNS ?? 2_000);
const SEED = Number(process.env.FUZZ_SEED ?? 20_260_127);
const MS_PER_RUN_MAX = 100;
/** What may refuse a request before its route is known, and so stands at no route of the document. */
const REFUSED_BEFORE_ROUTE = ['400', '401', '404', '413', '414', '415', '429', '431'];
/** Rows that come and go by themselves. */
const RESTLESS_TABLES = ['job_leases'];

type Answer = { status: number; headers: IncomingHttpHeaders; text: string };

let database: TestDatabase;
let backend: TestApplication;
let known: Record<string, readonly string[]>;
let credentials: Record<string, string>;
let countRows: string;

beforeAll(async () => {
  database = await createTestDatabase();
  // Without the jobs: what a good request has stored stays as it is, and each row that appears is the request's.
  backend = await startApplication(database, { ROLE: 'api' });
  await backend.whenAvailable();
  const boss = await insertToken(database, 'admin');
  const other = await insertToken(database, 'viewer', { name: 'somebody-else' });
  const order = await insertOrderRow(database, {
    status: 'paid',
    transaction_id: '4200',
    paid_at: new Date('2026-01-27T00:00:00Z'),
  });
  credentials = { Authorization: `Bearer ${boss.token}`, 'X-Internal-Secret': INTERNAL_SECRET };
  known = {
    outTradeNo: [order.out_trade_no, '170634567890112345'],
    userId: [order.user_id],
    id: [order.user_id, other.id, '1', '999'],
    outRefundNo: ['RF170634567890112345'],
  };
  const tables = await database.query<{ name: string }>(
    "SELECT TABLE_NAME AS name FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'",
  );
  const counted = tables.map(({ name }) => name).filter((name) => !RESTLESS_TABLES.includes(name));
  countRows = `SELECT ${counted.map((name) => `(SELECT COUNT(*) FROM \`${name}\`) AS \`${name}\``).join(', ')}`;
});

afterAll(async () => {
  await backend.stop();
  await database.drop();
});

function send({ method, path, headers, body }: HostileRequest): Promise<Answer> {
  const { port } = backend.app.getHttpServer().address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const length = body === null ? {} : { 'Content-Length': String(body.length) };
    const sending = request(
      { host: '127.0.0.1', port, method, path, headers: { ...headers, ...length }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text,
          }),
        );
      },
    );
    sending.on('error', reject);
    sending.end(body ?? undefined);
  });
}

async function stored(): Promise<Record<string, unknown>> {
  const [counts] = await database.query(countRows);
  const { depth, setAside } = await backend.app.get(SpoolService).stats();
  return { ...counts, spool: depth + setAside };
}

function expectRefusal(answer: Answer, { template, method }: HostileRequest): void {
  if (method === 'HEAD') return;
  expect(answer.headers['content-type']).toMatch(/^application\/json/);
  const isCallback = template.endsWith('callback');
  const envelope = { success: false, error: expect.any(String), message: expect.any(String) };
  const callback = { code: 'FAIL', message: expect.any(String) };
  const body: unknown = JSON.parse(answer.text);
  expect(isCallback && !('success' in (body as object)) ? callback : envelope).toEqual(
    expect.objectContaining(body as object),
  );
  expect(Object.keys(body as object).length).toBe('success' in (body as object) ? 3 : 2);
}

function expectSuccess({ status, headers, text }: Answer, { method, path, described }: HostileRequest): void {
  const isJson = headers['content-type']?.startsWith('application/json');
  // Files have no schema, and what is answered to HEAD or OPTIONS is not described.
  if (!isJson || method === 'HEAD' || !described.includes(String(status))) return;
  const url = `http://127.0.0.1${path}`;
  const answer = { request: { method, url }, status, headers, text, body: JSON.parse(text) as unknown };
  expectToMatchOpenApi(answer as unknown as supertest.Response);
}

describe('any request to any route', () => {
  // Prevents 5xx, crashes and rows made of rubbish by whatever nobody thought of (fault 24).
  it(
    'is answered as the document says, and leaves nothing behind when it is refused',
    { timeout: 60_000 + RUNS * MS_PER_RUN_MAX },
    async () => {
      const delay = monitorEventLoopDelay({ resolution: 5 });
      delay.enable();
      const statuses: Record<number, number> = {};
      await fc.assert(
        fc.asyncProperty(hostileRequests(known, credentials), async (hostile) => {
          const before = await stored();
          const answer = await send(hostile);
          statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
          if (answer.status < 400) {
            expectSuccess(answer, hostile);
            return;
          }
          expectRefusal(answer, hostile);
          expect(await stored()).toEqual(before);
          // The machine of the tests may be too busy for the deadlines of the database.
          if (answer.status === 503 && !backend.app.get(DatabaseAvailability).isAvailable) return;
          expect([...hostile.described, ...REFUSED_BEFORE_ROUTE]).toContain(String(answer.status));
        }),
        { numRuns: RUNS, seed: SEED },
      );
      delay.disable();
      await backend.http().get('/health/live').expect(200, { status: 'live' });
      console.log(
        `answers ${JSON.stringify(statuses)}; the event loop, of the client as well, stood still for`,
      );
      console.log(
        `${Math.round(delay.max / 1e6)} ms at most, p99 ${Math.round(delay.percentile(99) / 1e6)} ms`,
      );
    },
  );
});
