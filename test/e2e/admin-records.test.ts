import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorLogRetentionService } from '../../src/platform/logging/error-log-retention.service.js';
import { adminClient, insertToken } from '../support/admin.js';
import type { AdminClient } from '../support/admin.js';
import { startApplication } from '../support/application.js';
import type { TestApplication } from '../support/application.js';
import { createTestDatabase } from '../support/database.js';
import type { TestDatabase } from '../support/database.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { until } from '../support/until.ts';

const KINDS = ['generations', 'greeting-cards', 'payment-logs', 'error-logs'];
const OPENID = 'oCANARY0123456789abcdefghijk';
const DAY_MS = 86_400_000;
/** The job runs in this backend, too: the rows of the other tests are younger. */
const KEPT_DAYS = 3_650;

let database: TestDatabase;
let proxy: TcpProxy;
let backend: TestApplication;
let viewer: AdminClient;

beforeAll(async () => {
  database = await createTestDatabase();
  proxy = await TcpProxy.start({ host: database.env.DB_HOST, port: Number(database.env.DB_PORT) });
  backend = await startApplication(
    { ...database, env: { ...database.env, ...proxy.env } },
    { ERROR_LOG_DAYS: String(KEPT_DAYS) },
  );
  await backend.whenAvailable();
  viewer = adminClient(backend, await insertToken(database, 'viewer'));
  const at = (second: number) => new Date(Date.UTC(2026, 0, 10, 0, 0, second));
  for (let n = 1; n <= 3; n += 1) {
    const common = { id: `r-${n}`, created_at: at(Math.floor(n / 2)) };
    await database.query('INSERT INTO generation_history SET ?', [
      { ...common, user_id: `user-${n}`, status: 'completed', original_image_urls: '["https://x/1.jpg"]' },
    ]);
    await database.query('INSERT INTO greeting_cards SET ?', [
      { ...common, user_id: `user-${n}`, greeting_text: '新年快乐' },
    ]);
    await database.query('INSERT INTO payment_logs SET ?', [
      {
        ...common,
        type: n === 1 ? 'order_create' : 'payment_callback',
        out_trade_no: `17063456789012345${n}`,
        request_data: JSON.stringify({
          amount: 2990,
          payer: { openid: OPENID },
          nested: JSON.stringify({ payer: { openid: OPENID } }),
          text: `paid by ${OPENID}`,
          list: [{ phone: '13812345678' }],
        }),
      },
    ]);
    await database.query('INSERT INTO error_logs SET ?', [
      {
        id: `r-${n}`,
        timestamp: at(Math.floor(n / 2)),
        level: 'error',
        error_code: `E${n}`,
        context: '{"event":"x"}',
      },
    ]);
  }
});

afterAll(async () => {
  await backend.stop();
  await proxy.close();
  await database.drop();
});

const idsOf = async (path: string) =>
  (await viewer.get(`/records/${path}`)).body.data.map((row: { id: string }) => row.id);

describe('records', () => {
  it.each(KINDS)('of %s are listed page by page, the newest first, and shown one by one', async (kind) => {
    const first = await viewer.get(`/records/${kind}?limit=2&to=2026-02-01T00:00:00Z`);
    expect(first.body.data.map((row: { id: string }) => row.id)).toEqual(['r-3', 'r-2']);
    expect(await idsOf(`${kind}?limit=2&cursor=${first.body.nextCursor}`)).toEqual(['r-1']);
    const one = await viewer.get(`/records/${kind}/r-1`);
    expect(one.body.data).toMatchObject({ id: 'r-1', createdAt: '2026-01-10T00:00:00.000Z' });
    expect((await viewer.get(`/records/${kind}/nothing`)).status).toBe(404);
  });

  it('are chosen by what stands in them', async () => {
    expect(await idsOf('generations?userId=user-2&status=completed')).toEqual(['r-2']);
    expect(await idsOf('greeting-cards?userId=user-3')).toEqual(['r-3']);
    expect(await idsOf('payment-logs?type=order_create')).toEqual(['r-1']);
    expect(await idsOf('payment-logs?outTradeNo=170634567890123452')).toEqual(['r-2']);
    expect(await idsOf('error-logs?errorCode=E3&level=error')).toEqual(['r-3']);
    expect(await idsOf('error-logs?from=2026-01-10T00:00:01Z&to=2026-02-01T00:00:00Z')).toEqual([
      'r-3',
      'r-2',
    ]);
  });

  // Prevents what the functions noted of a payer from reaching everybody who may look at logs.
  it('show no openid and no phone of what the callers noted', async () => {
    const answers = [
      await viewer.get('/records/payment-logs'),
      await viewer.get('/records/payment-logs/r-1'),
    ];
    for (const { text } of answers) expect(text).not.toMatch(/CANARY|13812345678/);
    expect(answers[1]?.body.data.fields.requestData).toMatchObject({
      amount: 2990,
      payer: { openid: '***' },
      text: 'paid by ***',
      list: [{ phone: '***' }],
    });
  });

  it.each([
    ['generations?status=gone', 'status'],
    ['payment-logs?openid=x', 'openid'],
    ['error-logs?from=yesterday', 'from'],
    ['greeting-cards?cursor=x', 'cursor'],
    ['greeting-cards?limit=0', 'limit'],
  ])('refuse %s and name the field', async (path, named) => {
    const answer = await viewer.get(`/records/${path}`);
    expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
    expect(answer.body.message).toContain(named);
  });

  it('answer 503 with Retry-After while MySQL is away', async () => {
    await proxy.refuse();
    await until(
      async () => {
        const answer = await viewer.get('/records/generations');
        expect([answer.status, answer.body.error]).toEqual([503, 'database_unavailable']);
        expect(answer.headers['retry-after']).toBeDefined();
      },
      { withinMs: 10_000, everyMs: 50 },
    );
    await proxy.pass();
    await backend.whenAvailable();
  });
});

describe('old error logs', () => {
  const run = () =>
    backend.app
      .get(ErrorLogRetentionService)
      .removeOld({ lease: null, stopping: new AbortController().signal });

  it('are removed after ERROR_LOG_DAYS, in steps, and younger ones stay', async () => {
    await database.query('DELETE FROM error_logs');
    const old = new Date(Date.now() - KEPT_DAYS * DAY_MS - 60_000);
    const rows = Array.from({ length: 2_500 }, (_, at) => [`old-${at}`, old, 'error']);
    await database.query('INSERT INTO error_logs (id, `timestamp`, level) VALUES ?', [rows]);
    await database.query('INSERT INTO error_logs (id, `timestamp`, level) VALUES ?', [
      [['young', new Date(Date.now() - KEPT_DAYS * DAY_MS + 600_000), 'error']],
    ]);
    await run();
    expect(await database.query('SELECT id FROM error_logs')).toEqual([{ id: 'young' }]);
  });

  it('stay when the lease has gone to another replica', async () => {
    // Held for a minute: the job of this process, late on a busy machine, would remove the row by right.
    await database.query("DELETE FROM job_leases WHERE name = 'error-log-retention'");
    await database.query(
      "INSERT INTO job_leases (name, owner, fencing_token, expires_at) VALUES ('error-log-retention', 'another', 1000000, NOW(3) + INTERVAL 1 MINUTE)",
    );
    await database.query('INSERT INTO error_logs (id, `timestamp`, level) VALUES ?', [
      [['late', new Date(Date.now() - (KEPT_DAYS + 10) * DAY_MS), 'error']],
    ]);
    await backend.app.get(ErrorLogRetentionService).removeOld({
      lease: { name: 'error-log-retention', fencingToken: '999999', cursor: null },
      stopping: new AbortController().signal,
    });
    expect(await database.query("SELECT id FROM error_logs WHERE id = 'late'")).toHaveLength(1);
  });
});
